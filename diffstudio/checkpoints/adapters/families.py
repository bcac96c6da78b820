"""Published models that do not open here: what each is, by the classes in its folder or the tensors in its file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from diffstudio.checkpoints.adapters.family_signs import SIGNS
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.names import shown

OPENS = "Stable Diffusion 1, 2, XL, 3, 3.5, Flux, DiT and UNet2DModel"
WAY_OUT = f"sample it with diffusers or the tool that it was made for; of pictures {OPENS} open here"
_IMAGE, _VIDEO, _AUDIO = "a text-to-image model", "a model of videos", "a model of sound"
_SHAPES, _TEXT = "a model of 3-D shapes", "a model of texts"
_EDIT, _GIVEN = "a model that is led by a picture", "a model that is also given a picture"
_LED = "whose network is led by the embedding of a picture"


@dataclass(frozen=True)
class Family:
    """classes: how the names of its classes in diffusers begin, of pipelines and of networks."""

    name: str
    what: str
    classes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """After the name of the file."""
        return f"is {self.name}, {self.what}: it does not open here; {WAY_OUT}"


# The more special ones first: what comes later may begin the same.
FAMILIES: tuple[Family, ...] = (
    Family("Flux 3", _IMAGE, ("Flux3",)),
    Family("Flux 2", _IMAGE, ("Flux2",)),
    Family("Flux Redux", _EDIT, ("FluxPriorRedux", "ReduxImageEncoder")),
    Family("Chroma", _IMAGE, ("Chroma",)),
    Family("Ovis-Image", _IMAGE, ("OvisImage",)),
    Family("Qwen-Image", _IMAGE, ("QwenImage",)),
    Family("Z-Image", _IMAGE, ("ZImage",)),
    Family("Lumina 2", _IMAGE, ("Lumina2",)),
    Family("Lumina-Next", _IMAGE, ("Lumina",)),
    Family("OmniGen", _IMAGE, ("OmniGen",)),
    Family("HiDream", _IMAGE, ("HiDream",)),
    Family("AuraFlow", _IMAGE, ("AuraFlow",)),
    Family("PixArt or a relative of it", _IMAGE, ("PixArt",)),
    Family("Sana, a video model", _VIDEO, ("SanaVideo", "SanaImageToVideo", "SanaWM")),
    Family("Sana", _IMAGE, ("Sana",)),
    Family("Hunyuan-DiT", _IMAGE, ("HunyuanDiT",)),
    Family("Krea 2", _IMAGE, ("Krea2",)),
    Family("Ideogram 4", _IMAGE, ("Ideogram",)),
    Family("CogView", _IMAGE, ("CogView",)),
    Family("GLM-Image", _IMAGE, ("GlmImage",)),
    Family("ERNIE-Image", _IMAGE, ("ErnieImage",)),
    Family("LongCat-Image", _IMAGE, ("LongCatImage",)),
    Family("Bria", _IMAGE, ("Bria",)),
    Family("PRX", _IMAGE, ("PRX",)),
    Family("Nucleus-Image", _IMAGE, ("NucleusMoE",)),
    Family("DreamLite", _IMAGE, ("DreamLite",)),
    Family("JoyImage", _EDIT, ("JoyImage",)),
    Family("VisualCloze", _EDIT, ("VisualCloze",)),
    Family("aMUSEd", _IMAGE, ("Amused", "UVit2DModel")),
    Family("Kolors", _IMAGE, ("Kolors",)),
    Family("Wan or a relative of it", _VIDEO, ("Wan", "Lucy", "ChronoEdit")),
    Family("SkyReels", _VIDEO, ("SkyReels", "HunyuanSkyreels")),
    Family("HunyuanVideo or HunyuanImage", "a model of videos or pictures", ("HunyuanVideo", "HunyuanImage")),
    Family("LTX-2", _VIDEO, ("LTX2",)),
    Family("LTX-Video", _VIDEO, ("LTX",)),
    Family("CogVideoX", _VIDEO, ("CogVideoX", "ConsisID")),
    Family("Mochi", _VIDEO, ("Mochi",)),
    Family("Cosmos", _VIDEO, ("Cosmos",)),
    Family("Stable Video Diffusion", _VIDEO, ("StableVideoDiffusion", "UNetSpatioTemporal")),
    Family("AnimateDiff", _VIDEO, ("AnimateDiff", "UNetMotionModel", "PIAPipeline")),
    Family("ModelScope's text-to-video", _VIDEO, ("TextToVideoSD", "VideoToVideoSD", "UNet3DConditionModel")),
    Family("I2VGen-XL", _VIDEO, ("I2VGenXL",)),
    Family("Kandinsky 5 or 6", "a model of pictures or videos", ("Kandinsky5", "Kandinsky6")),
    Family("Allegro", _VIDEO, ("Allegro",)),
    Family("AnyFlow", _VIDEO, ("AnyFlow",)),
    Family("EasyAnimate", _VIDEO, ("EasyAnimate",)),
    Family("Helios", _VIDEO, ("Helios",)),
    Family("Latte", _VIDEO, ("Latte",)),
    Family("Motif-Video", _VIDEO, ("MotifVideo",)),
    Family("MiniMax H3", _VIDEO, ("MiniMaxH3",)),
    Family("Stable Cascade", _IMAGE, ("StableCascade", "Wuerstchen")),
    Family("Kandinsky 3", _IMAGE, ("Kandinsky3",)),
    Family("Kandinsky 2.2", _LED, ("KandinskyV22",)),
    Family("Kandinsky 2.1", _LED, ("Kandinsky",)),
    Family("unCLIP (Karlo)", _LED, ("UnCLIP", "StableUnCLIP", "PriorTransformer")),
    Family("Stable Diffusion Image Variations", _LED, ("StableDiffusionImageVariation",)),
    Family("Versatile Diffusion", "whose network is led by texts and pictures", ("VersatileDiffusion",)),
    Family("Paint by Example", _EDIT, ("PaintByExample",)),
    Family("BLIP-Diffusion", _EDIT, ("BlipDiffusion",)),
    Family("UniDiffuser", "a model of pictures and texts", ("UniDiffuser",)),
    Family(
        "DeepFloyd IF",
        "a text-to-image model of pixels in stages",
        ("IFPipeline", "IFImg2Img", "IFInpainting", "IFSuperResolution"),
    ),
    Family("VQ-Diffusion", _IMAGE, ("VQDiffusion",)),
    Family("AltDiffusion", "a text-to-image model with another text encoder", ("AltDiffusion",)),
    Family(
        "Latent Diffusion's text-to-image",
        "a text-to-image model with another text encoder",
        ("LDMTextToImage", "LDMBert"),
    ),
    Family("GLIGEN", "a text-to-image model that is also told places", ("StableDiffusionGLIGEN",)),
    Family("LDM3D", "a model of pictures with their depth", ("StableDiffusionLDM3D",)),
    Family("Marigold", _GIVEN, ("Marigold",)),
    Family("a latent upscaler of Stable Diffusion", _GIVEN, ("StableDiffusionLatentUpscale",)),
    Family("an upscaler of latent diffusion", _GIVEN, ("LDMSuperResolution", "StableDiffusionUpscale")),
    Family("Stable Diffusion's depth-to-image", _GIVEN, ("StableDiffusionDepth2Img",)),
    Family("InstructPix2Pix", _GIVEN, ("StableDiffusionInstructPix2Pix", "StableDiffusionXLInstructPix2Pix")),
    Family("Shap-E", _SHAPES, ("ShapE",)),
    Family("Hunyuan3D", _SHAPES, ("Hunyuan3D",)),
    Family("Stable Audio", _AUDIO, ("StableAudio",)),
    Family("ACE-Step", _AUDIO, ("AceStep",)),
    Family("AudioLDM", _AUDIO, ("AudioLDM", "MusicLDM")),
    Family("Dance Diffusion", _AUDIO, ("DanceDiffusion", "UNet1DModel")),
    Family("LongCat-Audio", _AUDIO, ("LongCatAudio",)),
    Family("MiniMax Music", _AUDIO, ("MiniMaxMusic",)),
    Family("Spectrogram Diffusion", _AUDIO, ("SpectrogramDiffusion",)),
    Family("Stable Diffusion in ONNX", "programs that do not run here", ("OnnxStableDiffusion", "OnnxRuntime")),
    Family("LLaDA", _TEXT, ("LLaDA",)),
    Family("DiffusionGemma", _TEXT, ("DiffusionGemma",)),
    Family("RFD4-Proteina", "a model of proteins", ("RFD4",)),
    Family("score_sde (Song et al. 2021)", "a network of pictures"),
    Family("a network of NVIDIA's EDM", "a network of pictures"),
    Family("U-ViT", "a transformer of pictures"),
    Family("an older denoising-diffusion-pytorch", "whose Unet has changed since"),
    Family("Imagen of lucidrains", _IMAGE),
)
_BY_NAME = {family.name: family for family in FAMILIES}
# Words in a config of a UNet2DConditionModel, of which there are none in those of Stable Diffusion.
_FEATURES: tuple[tuple[str, str, str], ...] = (
    ("time_cond_proj_dim", "", "a Latent Consistency Model"),
    ("mid_block_type", "SimpleCrossAttn", "DeepFloyd IF or Kandinsky 2"),
    ("addition_embed_type", "image", "Kandinsky 2"),
    ("encoder_hid_dim_type", "image", "Kandinsky 2"),
    ("class_embed_type", "projection", "unCLIP"),
    ("class_embed_type", "simple_projection", "AudioLDM"),
    ("class_embed_type", "timestep", "an upscaler of Stable Diffusion"),
)


def family_of_class(*names: object) -> Family | None:
    """The family of the first class whose name begins as one of its does; None where none is known."""
    for name in names:
        for family in FAMILIES:
            if isinstance(name, str) and name.startswith(family.classes or "\0"):
                return family
    return None


def family_of_file(look: Look) -> Family | None:
    """The family whose tensors a file has, wherever their names begin; None where none is known.

    Raises:
        BadFile: as `Look.tensors`.
    """
    for name, alternatives in SIGNS.items():
        if any(all(look.ends.of(sign) for sign in signs) for signs in alternatives):
            return _BY_NAME[name]
    return None


def unknown_class(network: object, pipeline: object = None) -> str:
    """The sentence for a folder whose network is of no class that opens, after its name."""
    family = family_of_class(network, pipeline)
    if family is not None:
        return family.sentence
    what = f"a network of the class '{shown(network, 60)}'"
    if pipeline:
        what = f"a pipeline of the class '{shown(pipeline, 60)}' with {what}"
    return f"is {what}, which is not known here: {WAY_OUT}"


def without_network(pipeline: object, kinds: Collection[object]) -> str:
    """The sentence for a pipeline whose index names no network that opens, after its name. kinds: its classes."""
    family = family_of_class(pipeline, *kinds)
    if family is not None:
        return family.sentence
    what = f"is a pipeline of the class '{shown(pipeline or 'unknown', 60)}', which has no network that is known here"
    return f"{what}: {WAY_OUT}"


def odd_config(table: dict[str, object], pipeline: object = None) -> str:
    """What a config of a known class is that is not as those that open, as a sentence; "" where nothing says."""
    family = family_of_class(pipeline)
    if family is not None:
        return family.sentence
    for key, word, name in _FEATURES:
        said = table.get(key)
        if said is not None and word in str(said):
            return f"is {name} ({key} is '{shown(said, 40)}'), a kind of network that does not open here: {WAY_OUT}"
    return ""
