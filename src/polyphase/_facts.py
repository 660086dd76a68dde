"""What the command line's help says of the workbench, known without importing Keras."""

COMPARED = ("nearest", "bilinear", "transposed-3", "transposed-4", "subpixel")  # unless told
DECODERS = (
    *COMPARED,
    *("transposed-3-start", "transposed-6", "nearest-4", "nearest+conv", "bilinear+conv"),
    *("carafe", "dysample"),
)
PUBLISHED = ("upsampling", "transposed")
EPOCHS, BATCH_SIZE, WIDTH = 40, 32, 8
AUTO, MOST_EPOCHS, MINUTES = "auto", 2000, 20  # of one training to a plateau


class UserError(ValueError):
    """What a user can mend: the command line prints it as one line and exits with 2."""
