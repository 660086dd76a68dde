"""The works that a comparison rests on, as BibTeX."""

from polyphase.report.latex import escaped
from polyphase.report.style import plain
from polyphase.workbench.results import Comparison

# SHA-256 of the pixels of the data sets with a paper of their own, whatever they were read from.
_DATA = {
    "d27fb91380ff036e93126fddb1fc6037e178683a6d3d702bd6655b27bcd0ac69": "mnist",
}
_OF_GENERATORS = {"r3gan", "kid", "precision and recall"}
_BACKENDS = ("jax", "tensorflow", "torch")
_DECODERS = {
    "subpixel": {"subpixel", "subpixel checkerboards"},
    "carafe": {"carafe"},
    "dysample": {"dysample"},
}
_WORKS = {
    "polyphase": """@misc{polyphase,
  author = {{The Polyphase developers}},
  title = {Polyphase: upsampling for {Keras}},
  note = {Version %s},
}""",
    "keras": """@misc{chollet2015keras,
  author = {Chollet, Fran{\\c{c}}ois and others},
  title = {Keras},
  year = {2015},
  url = {https://keras.io},
  note = {Version %s},
}""",
    "jax": """@misc{jax2018github,
  author = {Bradbury, James and Frostig, Roy and Hawkins, Peter and Johnson, Matthew James and
    Leary, Chris and Maclaurin, Dougal and Necula, George and Paszke, Adam and VanderPlas, Jake and
    Wanderman-Milne, Skye and Zhang, Qiao},
  title = {{JAX}: composable transformations of {Python+NumPy} programs},
  year = {2018},
  url = {https://github.com/jax-ml/jax},
  note = {Version %s},
}""",
    "tensorflow": """@inproceedings{abadi2016tensorflow,
  author = {Abadi, Mart{\\'i}n and others},
  title = {{TensorFlow}: a system for large-scale machine learning},
  booktitle = {12th {USENIX} Symposium on Operating Systems Design and Implementation},
  pages = {265--283},
  year = {2016},
  note = {Version %s was used},
}""",
    "torch": """@inproceedings{paszke2019pytorch,
  author = {Paszke, Adam and others},
  title = {{PyTorch}: an imperative style, high-performance deep learning library},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {32},
  year = {2019},
  note = {Version %s was used},
}""",
    "mnist": """@article{lecun1998gradient,
  author = {LeCun, Yann and Bottou, L{\\'e}on and Bengio, Yoshua and Haffner, Patrick},
  title = {Gradient-based learning applied to document recognition},
  journal = {Proceedings of the {IEEE}},
  volume = {86},
  number = {11},
  pages = {2278--2324},
  year = {1998},
  doi = {10.1109/5.726791},
}""",
    "digits": """@misc{alpaydin1998optical,
  author = {Alpaydin, Ethem and Kaynak, Cenk},
  title = {Optical recognition of handwritten digits},
  howpublished = {{UCI} Machine Learning Repository},
  year = {1998},
  doi = {10.24432/C50P49},
}""",
    "adam": """@inproceedings{kingma2015adam,
  author = {Kingma, Diederik P. and Ba, Jimmy},
  title = {Adam: a method for stochastic optimization},
  booktitle = {3rd International Conference on Learning Representations},
  year = {2015},
  note = {arXiv:1412.6980},
}""",
    "checkerboards": """@article{odena2016deconvolution,
  author = {Odena, Augustus and Dumoulin, Vincent and Olah, Chris},
  title = {Deconvolution and checkerboard artifacts},
  journal = {Distill},
  year = {2016},
  doi = {10.23915/distill.00003},
}""",
    "subpixel": """@inproceedings{shi2016realtime,
  author = {Shi, Wenzhe and Caballero, Jose and Husz{\\'a}r, Ferenc and Totz, Johannes and
    Aitken, Andrew P. and Bishop, Rob and Rueckert, Daniel and Wang, Zehan},
  title = {Real-time single image and video super-resolution using an efficient sub-pixel
    convolutional neural network},
  booktitle = {{IEEE} Conference on Computer Vision and Pattern Recognition},
  year = {2016},
  note = {arXiv:1609.05158},
}""",
    "subpixel checkerboards": """@misc{aitken2017checkerboard,
  author = {Aitken, Andrew and Ledig, Christian and Theis, Lucas and Caballero, Jose and
    Wang, Zehan and Shi, Wenzhe},
  title = {Checkerboard artifact free sub-pixel convolution: a note on sub-pixel convolution,
    resize convolution and convolution resize},
  year = {2017},
  note = {arXiv:1707.02937},
}""",
    "carafe": """@inproceedings{wang2019carafe,
  author = {Wang, Jiaqi and Chen, Kai and Xu, Rui and Liu, Ziwei and Loy, Chen Change and
    Lin, Dahua},
  title = {{CARAFE}: content-aware reassembly of features},
  booktitle = {{IEEE/CVF} International Conference on Computer Vision},
  year = {2019},
  note = {arXiv:1905.02188},
}""",
    "dysample": """@inproceedings{liu2023learning,
  author = {Liu, Wenze and Lu, Hao and Fu, Hongtao and Cao, Zhiguo},
  title = {Learning to upsample by learning to sample},
  booktitle = {{IEEE/CVF} International Conference on Computer Vision},
  year = {2023},
  note = {arXiv:2308.15085},
}""",
    "r3gan": """@inproceedings{huang2024gan,
  author = {Huang, Nick and Gokaslan, Aaron and Kuleshov, Volodymyr and Tompkin, James},
  title = {The {GAN} is dead; long live the {GAN}! {A} modern {GAN} baseline},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2024},
  note = {arXiv:2501.05441},
}""",
    "kid": """@inproceedings{binkowski2018demystifying,
  author = {Bi{\\'n}kowski, Miko{\\l}aj and Sutherland, Danica J. and Arbel, Michael and
    Gretton, Arthur},
  title = {Demystifying {MMD} {GANs}},
  booktitle = {6th International Conference on Learning Representations},
  year = {2018},
  note = {arXiv:1801.01401},
}""",
    "precision and recall": """@inproceedings{kynkaanniemi2019improved,
  author = {Kynk{\\"a}{\\"a}nniemi, Tuomas and Karras, Tero and Laine, Samuli and
    Lehtinen, Jaakko and Aila, Timo},
  title = {Improved precision and recall metric for assessing generative models},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2019},
  note = {arXiv:1904.06991},
}""",
    "ssim": """@article{wang2004image,
  author = {Wang, Zhou and Bovik, Alan C. and Sheikh, Hamid R. and Simoncelli, Eero P.},
  title = {Image quality assessment: from error visibility to structural similarity},
  journal = {{IEEE} Transactions on Image Processing},
  volume = {13},
  number = {4},
  pages = {600--612},
  year = {2004},
  doi = {10.1109/TIP.2003.819861},
}""",
}


def bibtex(comparison: Comparison) -> str:
    """Return the works that this comparison used, in BibTeX; versions are those of the run."""
    versions = comparison.config.get("versions", {})
    works = [_WORKS[name].replace("%s", _version(versions.get(name))) for name in _used(comparison)]
    return "\n\n".join(works) + "\n"


def _used(comparison: Comparison) -> list[str]:
    """Return the names of the works, in the order of `_WORKS`."""
    config = comparison.config
    data = config.get("data", {})
    used = {"polyphase", "keras", "checkerboards", config.get("optimizer")}
    used |= {"ssim"} if comparison.task.paired else _OF_GENERATORS
    used |= {data.get("source"), _DATA.get(data.get("sha256", ""))} & {"mnist", "digits"}
    used |= set(_BACKENDS) & set(config.get("versions", {}))
    names = config.get("names", {})
    for name in {names.get(name, name) for name in comparison.decoders} & set(_DECODERS):
        used |= _DECODERS[name]
    return [name for name in _WORKS if name in used]


def _version(version: object) -> str:
    """Return a version as LaTeX; BibTeX counts braces, so there are none of its own."""
    text = plain(str(version or "unknown"), 200)
    return escaped("".join(sign for sign in text if sign.isalnum() or sign in " .,:+-"))
