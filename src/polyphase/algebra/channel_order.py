"""The order of a sub-pixel convolution's channels: "dcr" or "crd", as ONNX calls them.

With `P = s_h * s_w` phases of `c` channels each, phase `p` of channel `k` is channel

- "dcr": `p * c + k`, where the phase varies slowest (`tf.nn.depth_to_space`);
- "crd": `k * P + p`, where the phase varies fastest (`torch.nn.functional.pixel_shuffle`, ESPCN's
  weights).
"""

import numpy as np

ORDERS = ("dcr", "crd")


def dcr_channels(channels: int, phases: int, order: str) -> np.ndarray:
    """Return the index of each "dcr" channel among the channels in `order`.

    `kernel[..., dcr_channels(...)]` has the order "dcr"; `np.argsort` of the result is its inverse.

    Args:
        channels: number of all channels, a multiple of `phases`.
        phases: number of phases, `s_h * s_w`.
        order: "dcr" or "crd".

    Returns:
        `(channels,)` int64, a permutation.

    Raises:
        ValueError: for an unknown order.

    Example:
        >>> dcr_channels(8, 4, "crd")
        array([0, 4, 1, 5, 2, 6, 3, 7])
    """
    if order not in ORDERS:
        raise ValueError(f"`order` must be one of {', '.join(ORDERS)}. Received: order={order!r}.")
    index = np.arange(channels)
    return index if order == "dcr" else index.reshape(-1, phases).T.ravel()
