"""Makes baselines.png: every game as the policy that comes with it has played it for a while.

python -m pip install -r docs/pictures/requirements.txt
python docs/pictures/baselines.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from drawing import font
from PIL import Image, ImageDraw

from pufftui.appearance.format import figure
from pufftui.envs.catalogue import env_names, find_env, load_env
from pufftui.trainer.arena.game import Game
from pufftui.trainer.run.baseline import EVALUATION_FILE, has_baseline, read_json
from pufftui.trainer.run.naming import find_policy

PLACE = Path(__file__).parent / "baselines.png"
COLUMNS, WIDTH, HEIGHT, CAPTION, GAP = 3, 240, 180, 26, 10
INK, GROUND, PAPER = "#e4eaf4", "#10151f", "#080b11"

STEPS = 400
"""Of a game before its picture is taken; then an episode has to be half as old as the oldest so far, for at most as many more."""

SEED = 4


def main() -> None:
    """Plays all games, and puts their pictures side by side."""
    games = [name for name in env_names() if has_baseline(name)]
    rows = -(-len(games) // COLUMNS)
    size = COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + CAPTION + GAP) + GAP
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for at, game in enumerate(games):
        x, y = GAP + at % COLUMNS * (WIDTH + GAP), GAP + at // COLUMNS * (HEIGHT + CAPTION + GAP)
        draw.rectangle((x, y, x + WIDTH - 1, y + HEIGHT - 1), GROUND)
        image = Image.fromarray(played(game))
        sheet.paste(image, (x + (WIDTH - image.width) // 2, y + (HEIGHT - image.height) // 2))
        score = read_json(find_env(game).baseline / EVALUATION_FILE)["score"]["mean"]
        draw.text((x, y + HEIGHT + 4), f"{game} {figure(score)}", INK, font(14))
    sheet.quantize(128, dither=Image.Dither.NONE).save(PLACE, optimize=True)
    print(f"{PLACE.name}: {PLACE.stat().st_size:,} bytes")


def played(game: str) -> np.ndarray:
    """The picture of a game that the baseline has played for a while, (height, width, 3) uint8."""
    library, policy = load_env(game), find_policy(f"baseline:{game}")
    arena = Game(library, policy.config().parameters, SEED)
    arena.weights = policy.weights()
    longest = 0
    for step in range(2 * STEPS):
        arena.step(arena.decide())
        length = int(arena.figures["length"][0])
        longest = max(longest, length)
        if step >= STEPS and 2 * length >= longest:
            break
    width = min(WIDTH, round(HEIGHT * library.descriptor.picture_aspect))
    height = min(HEIGHT, round(width / library.descriptor.picture_aspect))
    pixels = arena.draw(0, 1.0, width, height)
    arena.close()
    return pixels


if __name__ == "__main__":
    main()
