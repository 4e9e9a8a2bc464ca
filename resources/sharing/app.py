"""A page for the browser: python app.py, then open the address that it prints."""

from segment import classes, palette, segment


def predict(photo):
    """The photo and what was found in it, as Gradio's AnnotatedImage takes them"""
    if photo is None:
        return None
    mask = segment(photo)
    return photo, [(mask == i, classes[i]) for i in range(1, len(classes)) if (mask == i).any()]


if __name__ == "__main__":
    import gradio

    shades = [bytes(palette[i : i + 3]).hex() for i in range(0, len(palette), 3)]
    colours = {name: f"#{shade}" for name, shade in zip(classes, shades, strict=True)}
    gradio.Interface(
        predict,
        gradio.Image(type="pil", label="Photo"),
        gradio.AnnotatedImage(label="Mask", color_map=colours),
        title="Segment a photo",
        flagging_mode="never",
    ).launch()
