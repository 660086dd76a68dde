"""The settings that the numbers are compared over, as the page's address writes them."""

import itertools

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "mitchell", "lanczos3", "lanczos5")
PADDINGS = ("same", "valid")
SIGNALS = ("0.5,-1,2,3.25,1", "2", "1,0,-0.5,4,3,7,2")
IMAGES = (
    "1,2,-1/0,0.5,4/3,1,2.5/1,0,2/-2,1,1",
    "2,-1,0.5/1,3,1",
    "1,2,3,4,5/0,1,-1,1,2.5/2,0,0,1,7",
)


def layers():
    """Yield the settings of every layer."""
    for name, s in itertools.product(INTERPOLATIONS, range(1, 6)):
        yield {"kind": "interpolate", "interpolation": name, "s": s}
    for name, s, k, padding in itertools.product(
        INTERPOLATIONS, range(1, 6), range(1, 8), PADDINGS
    ):
        yield {
            "kind": "interpolate_conv",
            "interpolation": name,
            "s": s,
            "k": k,
            "padding": padding,
        }
    for s, k, padding in itertools.product(range(1, 6), range(1, 8), PADDINGS):
        for op in (None, *range(s)):
            yield {"kind": "conv_transpose", "s": s, "k": k, "padding": padding, "op": op}
    for s, k, padding in itertools.product(range(1, 5), range(1, 6), PADDINGS):
        yield {"kind": "sub_pixel", "s": s, "k": k, "padding": padding}


def written(layer, weights):
    """Return a layer as the address writes it."""
    parts = [layer["kind"]]
    parts += [layer["interpolation"]] if "interpolation" in layer else []
    parts += [f"x{layer['s']}"]
    if "k" in layer:
        parts += [f"k{layer['k']}", layer["padding"]]
        parts += [f"op{layer['op']}"] if layer.get("op") is not None else []
        parts += [weights]
    return ":".join(parts)


def fits(layer, sides):
    """Return whether the layer has an output on such an input that the page shows."""
    s, k = layer["s"], layer.get("k", 1)
    for n in sides:
        length = n * s
        if layer["kind"] == "conv_transpose" and layer["op"] is not None:
            kept = k if layer["padding"] == "valid" else k % 2
            length = (n - 1) * s + kept + layer["op"]
        elif layer["kind"] == "conv_transpose" and layer["padding"] == "valid":
            length = (n - 1) * s + max(k, s)
        elif layer["kind"] == "interpolate_conv" and layer["padding"] == "valid":
            length = n * s - k + 1
        elif layer["kind"] == "sub_pixel" and layer["padding"] == "valid":
            length = (n - k + 1) * s
        if not 1 <= length <= 64:
            return False
    return True


def cases():
    """Yield `(address, layer, input, rank)`: all of signals, every seventh of images."""
    for index, layer in enumerate(layers()):
        inputs = [(SIGNALS[index % 2], 1), (SIGNALS[2], 1)]
        inputs += [(IMAGES[index // 7 % 3], 2)] if index % 7 == 0 else []
        for text, rank in inputs:
            rows = [[float(value) for value in row.split(",")] for row in text.split("/")]
            sides = (len(rows), len(rows[0])) if rank == 2 else (len(rows[0]),)
            if fits(layer, sides):
                end = f"layers={written(layer, f'random-{index}')}"
                yield f"rank={rank}&input={text}&{end}", layer, rows, rank
