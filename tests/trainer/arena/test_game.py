"""What a game keeps between its steps."""

from pufftui.trainer.arena.game import Game


def test_who_is_dead_remembers_nothing(crowd, made_policy):
    """As in training: a life begins without what was seen before it."""
    game = Game(crowd, crowd.descriptor.parameter_values({}), seed=5)
    game.weights = made_policy(crowd)
    dead, alive = 0, 0
    for _ in range(100):
        game.step(game.decide(), None)
        over = (game.buffers.terminals | game.buffers.truncations).astype(bool)
        remembered = game.save().state.any(axis=(0, 1, 3))
        assert (remembered == (game.alive & ~over)).all()
        dead, alive = dead + (~game.alive).sum(), alive + remembered.sum()
    assert min(dead, alive) > 0
