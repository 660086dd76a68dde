"""What TensorBoard shows of a comparison: losses while it runs, images when it is done."""

from pathlib import Path
from typing import Any

from polyphase.workbench.comparison import Progress
from polyphase.workbench.results import Comparison
from polyphase.workbench.runs import file_name


class Board:
    """Writes one TensorBoard run per decoder and seed.

    Args:
        folder: the folder to write into; `tensorboard --logdir FOLDER` shows it.

    Raises:
        ImportError: if tensorboardX is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ImportError(
                "--tensorboard needs tensorboardX. Run: pip install 'polyphase[tensorboard]'"
            ) from error
        self._folder = folder
        self._make = SummaryWriter
        self._writers: dict[tuple[str, int], Any] = {}

    def __call__(self, progress: Progress) -> None:
        """Write the losses of a finished epoch."""
        writer = self._writer(progress.decoder, progress.seed)
        writer.add_scalar("loss/training", progress.result.loss, progress.epoch + 1)
        writer.add_scalar("loss/validation", progress.result.validation_loss, progress.epoch + 1)
        writer.flush()

    def finish(self, comparison: Comparison) -> None:
        """Write the final measures and the images, and close all files."""
        for trial in comparison.trials:
            writer = self._writer(trial.decoder, trial.seed)
            step = len(trial.history)
            for name, value in (
                ("psnr", trial.psnr),
                ("ssim", trial.ssim),
                ("checkerboard/chi", trial.checkerboard.chi),
                ("checkerboard/periodic bias", trial.checkerboard.bias),
            ):
                writer.add_scalar(f"final/{name}", value, step)
            writer.add_images("originals", comparison.originals, step, dataformats="NHWC")
            shown = trial.reconstructions.clip(0, 1)
            writer.add_images("reconstructions", shown, step, dataformats="NHWC")
        for writer in self._writers.values():
            writer.close()

    def _writer(self, decoder: str, seed: int) -> Any:
        if (decoder, seed) not in self._writers:
            place = self._folder / f"{file_name(decoder)}-seed{seed}"
            self._writers[decoder, seed] = self._make(str(place))
        return self._writers[decoder, seed]
