"""`pufftui runs tag`: words by which a run is found again."""

from __future__ import annotations

import re

from pufftui.appearance.harmless import harmless
from pufftui.cli.parser import CommandParser
from pufftui.envs.errors import PuffError
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreReader, tag, untag

TAG = re.compile(r"""[^\s+\-"'|()!&][^\s"'|()!&]{0,49}""")
"""What the search language can name without quotes."""


def run(arguments: list[str]) -> int:
    """Adds and takes away tags, also while the run is trained, and prints those it has."""
    changes = [word for word in arguments if re.match(r"\+|-[^-h]|-h.", word)]
    parser = CommandParser("runs tag", "Gives a run tags or takes them off, live or not.")
    parser.usage = "pufftui runs tag RUN [+TAG ...] [-TAG ...]"
    parser.epilog = (
        "Without tags it prints the tags of the run. Find them with: pufftui runs tag:TAG"
    )
    parser.add_argument("run", metavar="RUN", help="its name, or latest")
    parser.add_argument("more", nargs="*", metavar="+TAG or -TAG", help="to add, or to take off")
    options = parser.parse([word for word in arguments if word not in changes])
    if options.more:
        word = options.more[0]
        hint = f"Write +{word} to add it, -{word} to take it off."
        raise PuffError(f"It is not clear what to do with the tag {word}.", hint, usage=True)
    for word in changes:
        if not TAG.fullmatch(word[1:]) or not word.isprintable():
            hint = "Use up to 50 letters, digits, dots, dashes and the like, without spaces."
            raise PuffError(f"{word[1:]!r} is not a tag.", hint, usage=True)
    folder = RunFolder.open(options.run)
    add, take = ([word[1:] for word in changes if word[0] == sign] for sign in "+-")
    if add:
        tag(folder.database, *add)
    if take:
        untag(folder.database, *take)
    print(" ".join(map(harmless, StoreReader(folder.database, at_once=True).tags())))
    return 0
