"""Decoders in PyTorch, as people write them there, to be exported by PyTorch itself."""

import torch
from torch import Tensor, nn


class Block(nn.Sequential):
    """Two 3x3 convolutions."""

    def __init__(self, before: int, after: int) -> None:
        first, second = (
            nn.Conv2d(before, after, 3, padding=1),
            nn.Conv2d(after, after, 3, padding=1),
        )
        super().__init__(first, nn.ReLU(), second, nn.ReLU())


class Generator(nn.Sequential):
    """64x64x3 from 100 numbers: 4x4x512, then four times nearest and a convolution."""

    inputs = (100, 1, 1)

    def __init__(self) -> None:
        blocks: list[nn.Module] = [nn.ConvTranspose2d(100, 512, 4), nn.ReLU()]
        for before, after in ((512, 256), (256, 128), (128, 64)):
            up, conv = nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1)
            blocks += [up, conv, nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        up, conv = nn.Upsample(scale_factor=2), nn.Conv2d(64, 3, 3, padding=1)
        super().__init__(*blocks, up, conv, nn.Tanh())


class TransposedGenerator(nn.Sequential):
    """The generator of PyTorch's own DCGAN tutorial: 64x64x3 from 100 numbers, 4x4, strides 2."""

    inputs = (100, 1, 1)

    def __init__(self) -> None:
        blocks: list[nn.Module] = []
        for before, after, start in ((100, 512, 1), (512, 256, 0), (256, 128, 0), (128, 64, 0)):
            place = (1, 0) if start else (2, 1)
            conv = nn.ConvTranspose2d(before, after, 4, *place, bias=False)
            blocks += [conv, nn.BatchNorm2d(after), nn.ReLU()]
        super().__init__(*blocks, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())


class UNet(nn.Module):
    """128x128x3 to 2 classes, three levels from 32 channels on."""

    inputs = (3, 128, 128)

    def __init__(self, mode: str) -> None:
        super().__init__()
        widths = (32, 64, 128)
        self.down = nn.ModuleList(map(Block, (3, *widths), (*widths, 256)))
        self.up = nn.ModuleList(
            Block(below + width, width)
            for below, width in zip((256, 128, 64), widths[::-1], strict=True)
        )
        self.resize = nn.Upsample(scale_factor=2, mode=mode)
        self.head = nn.Conv2d(32, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the classes' scores."""
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = skips.pop()
        for block in self.up:
            x = block(torch.cat([self.resize(x), skips.pop()], 1))
        return self.head(x)


class Residual(nn.Module):
    """What a latent-diffusion VAE is made of."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(32, before),
            nn.SiLU(),
            nn.Conv2d(before, after, 3, padding=1),
            nn.GroupNorm(32, after),
            nn.SiLU(),
            nn.Conv2d(after, after, 3, padding=1),
        )
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        return self.skip(x) + self.body(x)


class VaeDecoder(nn.Sequential):
    """16x16x4 to 128x128x3, of half a latent-diffusion VAE's channels, two blocks a level."""

    inputs = (4, 16, 16)

    def __init__(self) -> None:
        blocks: list[nn.Module] = [nn.Conv2d(4, 256, 3, padding=1)]
        for before, after in ((256, 256), (256, 128), (128, 64)):
            blocks += [Residual(before, after), Residual(after, after)]
            blocks += [nn.Upsample(scale_factor=2), nn.Conv2d(after, after, 3, padding=1)]
        super().__init__(*blocks, nn.GroupNorm(32, 64), nn.SiLU(), nn.Conv2d(64, 3, 3, padding=1))


MODELS = {
    "DCGAN-size generator": Generator,
    "DCGAN, transposed": TransposedGenerator,
    "U-Net, nearest": lambda: UNet("nearest"),
    "U-Net, bilinear": lambda: UNet("bilinear"),
    "VAE decoder": VaeDecoder,
}
