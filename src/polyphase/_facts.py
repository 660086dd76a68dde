"""What the command line's help says of the workbench, known without importing Keras."""

DECODERS = ("nearest", "bilinear", "transposed-3", "transposed-4", "subpixel")
PUBLISHED = ("upsampling", "transposed")
EPOCHS, BATCH_SIZE = 40, 32


class UserError(ValueError):
    """What a user can mend: the command line prints it as one line and exits with 2."""
