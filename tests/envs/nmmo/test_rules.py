"""nmmo against its rules written plainly in Python, and what has to hold whatever players do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv

PLAYERS, SIDE, WIDTH, OFFERS, SLOTS, TIERS, GOODS = 128, 192, 200, 32, 12, 5, 11
DOWN, UP, RIGHT, LEFT, STAY, ATTACK, KEY = range(7)
BUY, SELL, RUN, ACTIONS = 18, 19, 20, 24
HELM, CHEST, LEGS, SWORD, BOW, TOOL = range(1, 7)
HERB, ORE, WOOD, HILT = range(11, 15)
NO_MENU, BUY_WARE, SELL_SLOT, SELL_PRICE = range(4)
WATER = 12

BODY = np.dtype(
    [(name, np.int16) for name in ("row", "column", "last_row", "last_column")]
    + [
        (name, np.uint8)
        for name in ("level", "hp", "element", "facing", "deed", "in_combat", "ranged", "away")
    ]
)
SELF = np.dtype(
    [
        (name, np.uint8)
        for name in (
            *("combat", "profession", "hp", "gold", "in_combat", "stale", "attack", "defence"),
            *("element", "facing", "menu", "menu_slot", "held"),
        )
    ]
    + [("worn", np.uint8, 5)]
    + [(name, np.uint8, SLOTS) for name in ("types", "tiers", "used", "shop_types", "shop_tiers")]
)
PLAYER = np.dtype(
    [
        ("seen", SELF),
        *((name, np.uint8) for name in ("born", "ended", "shot", "best_tier", "struck_by")),
        *((name, np.uint16) for name in ("stale", "offers")),
        *((name, np.int16) for name in ("attack", "defence")),
        *((name, np.uint16) for name in ("fallen_row", "fallen_column")),
    ],
    align=True,
)
QUEUE = np.dtype([(name, np.uint32) for name in ("first", "count", "room", "at")])
PENDING = np.dtype(
    [("cell", np.int32), ("due", np.uint32), ("item", np.uint8), ("tier", np.uint8)], align=True
)
OFFER = np.dtype([("seller", np.uint16), ("price", np.uint8)], align=True)
PARTS = ("tiles", "ids", "bodies", "players_", "deeds", "occupied", "by_players", "spots")
WORLD = np.dtype(
    [
        ("random", np.uint64),
        *((name, np.int32) for name in ("side", "width", "players", "entities")),
        *((name, np.float32) for name in ("item_reward", "trade_reward")),
        ("tick", np.uint32),
        *((name, np.int32) for name in ("passable", "level_sum", "player_fights", "teams")),
        ("bit_stride", np.uint32),
        *((name + "_at", np.uint32) for name in PARTS),
        *((name, QUEUE) for name in ("returns", "drops")),
        *((name, np.uint8, GOODS * TIERS) for name in ("prices", "offer_counts")),
        ("offers", OFFER, (GOODS * TIERS, OFFERS)),
    ],
    align=True,
)


class World:
    """One world, stepped by C, whose memory can be read and written here."""

    def __init__(self, env: VectorEnv) -> None:
        self.env = env
        self.buffers = env.buffers()
        env.reset(0, self.buffers)
        memory = env.state(0)
        self.head: Any = memory[: WORLD.itemsize].view(WORLD)[0]
        assert (self.head["side"], self.head["width"], self.head["players"]) == (
            SIDE,
            WIDTH,
            PLAYERS,
        )
        self.bodies: Any = self.part(memory, "bodies", BODY, 3 * PLAYERS)
        self.players: Any = self.part(memory, "players_", PLAYER, PLAYERS)
        self.tiles = self.part(memory, "tiles", np.dtype((np.uint8, 8)), SIDE * WIDTH)
        self.ids = self.part(memory, "ids", np.dtype(np.uint16), SIDE * WIDTH)
        self.maps = {
            name: self.part(
                memory, name, np.dtype(np.uint8), SIDE * int(self.head["bit_stride"])
            ).reshape(SIDE, -1)
            for name in ("occupied", "by_players", "spots")
        }
        self.memory = memory

    def part(self, memory: Any, name: str, dtype: np.dtype, count: int) -> Any:
        at = int(self.head[name + "_at"])
        size = count * dtype.itemsize
        found = memory[at : at + size].view(dtype.base)
        return found.reshape(count, *dtype.shape)

    def pending(self, name: str) -> list[Any]:
        queue = self.head[name]
        room = int(queue["room"])
        line = self.part_at(int(queue["at"]), PENDING, room)
        return [line[(int(queue["first"]) + i) % room] for i in range(int(queue["count"]))]

    def part_at(self, at: int, dtype: np.dtype, count: int) -> Any:
        return self.memory[at : at + count * dtype.itemsize].view(dtype)

    def step(self, actions: Any) -> None:
        self.buffers.actions[:, 0] = actions
        self.env.step(0, self.buffers)

    def act(self, *actions: int) -> None:
        """One tick in which the first players act and all others stay."""
        self.step([*actions, *[STAY] * (PLAYERS - len(actions))])

    def put(self, who: int, row: int, column: int) -> None:
        body = self.bodies[who]
        body["row"], body["column"], body["away"] = row, column, 0
        self.ids[row * WIDTH + column] = who
        bit = np.uint8(1 << column % 8)
        self.maps["occupied"][row, column // 8] |= bit
        if who < PLAYERS:
            self.maps["by_players"][row, column // 8] |= bit

    def empty(self) -> None:
        """An island of 9 x 9 tiles, two players on it, and nowhere for anybody else to go.

        The same chance for each example: one in a thousand would be moved elsewhere in place of its turn.
        """
        self.head["random"] = 5
        self.tiles[:] = 0
        self.tiles[:, 0] = WATER
        island = self.tiles.reshape(SIDE, WIDTH, 8)[16:25, 16:25]
        island[:, :, 0] = 0
        for each in self.maps.values():
            each[:] = 0
        self.head["passable"] = 0
        self.head["returns"]["count"] = self.head["drops"]["count"] = 0
        self.bodies["away"] = 255
        self.bodies["element"] = self.bodies["ranged"] = 0
        self.bodies["level"], self.bodies["hp"] = 1, 99
        self.bodies["row"], self.bodies["column"] = 5, 7
        self.players["stale"] = 0
        self.put(0, 20, 20)
        self.put(1, 24, 16)


@pytest.fixture
def world() -> Iterator[World]:
    library = load_env("nmmo")
    parameters = library.descriptor.parameter_values({})
    with VectorEnv(library, parameters, environments=1, seed=4) as env:
        yield World(env)


def example(**options: Any) -> Any:
    """Settings of a property: the world is one for all examples, and each begins by emptying it."""
    return settings(
        max_examples=options.pop("max_examples", 150),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


def effect(attacker: int, defender: int) -> int:
    twice = {(2, 3), (4, 2), (1, 4), (3, 1)}
    never = {(2, 4), (4, 1), (1, 3), (3, 2)}
    return 2 if (attacker, defender) in twice else 0 if (attacker, defender) in never else 1


levels, elements = st.integers(1, 40), st.integers(0, 4)


@example()
@given(
    own=st.tuples(levels, elements, st.integers(2, 98)),
    other=st.tuples(levels, elements, st.integers(1, 98)),
    gear=st.tuples(st.integers(0, 384), st.integers(0, 384)),
)
def test_blows(world: World, own: tuple, other: tuple, gear: tuple):
    world.empty()
    enemy = PLAYERS
    world.put(enemy, 20, 21)
    player, self_, foe = world.players[0], world.bodies[0], world.bodies[enemy]
    self_["level"], self_["element"], self_["hp"] = own
    foe["level"], foe["element"], foe["hp"] = other
    player["attack"], player["defence"] = gear
    player["seen"]["profession"], player["seen"]["gold"] = 40, 98
    self_["in_combat"] = foe["in_combat"] = 0
    world.act(ATTACK)

    hurt = max(0, 40 + 2 * own[0] + gear[0] - 5 * other[0]) * effect(own[1], other[1])
    left = max(0, other[2] - hurt)
    if left == 0:
        rose = other[0] >= own[0] and own[0] < 40
        assert foe["away"] == 2
        assert self_["level"] == own[0] + rose
        assert world.buffers.rewards[0] == rose
        assert player["seen"]["gold"] == 99
        tool = world.tiles[20 * WIDTH + 21]
        tier = 1 if other[0] <= 8 else 2 if other[0] <= 16 else 3 if other[0] <= 32 else 4
        assert tool[1:3].tolist() == [TOOL, tier]
        assert self_["hp"] == own[2] + 1
        return
    assert foe["hp"] == left + 1
    back = max(0, 15 + 5 * other[0] - 2 * own[0] - gear[1]) * effect(other[1], own[1])
    dies = back >= own[2] + 1
    assert world.buffers.terminals[0] == dies
    assert world.buffers.rewards[0] == -dies
    if not dies:
        assert self_["hp"] == own[2] + 1 - back
        assert self_["in_combat"] == foe["in_combat"] == 5


@example()
@given(
    item=st.sampled_from([TOOL, 7, 8, 9, 10, HERB, ORE, WOOD, HILT]),
    tier=st.integers(1, 5),
    tool=st.integers(0, 5),
    profession=levels,
    carried=st.integers(0, SLOTS),
)
def test_gathering(world: World, item: int, tier: int, tool: int, profession: int, carried: int):
    world.empty()
    player = world.players[0]
    seen = player["seen"]
    for name in ("types", "tiers", "used", "worn"):
        seen[name][:] = 0
    seen["held"] = 0
    seen["types"][:carried], seen["tiers"][:carried] = HERB, 1
    if tool:
        seen["types"][0], seen["tiers"][0], seen["used"][0] = TOOL, tool, 1
        seen["held"], seen["worn"][3] = 3, tool
    seen["profession"], world.bodies[0]["level"] = profession, 40
    tile = world.tiles[20 * WIDTH + 21]
    tile[1:3] = item, tier
    before = seen["types"].tolist()
    world.act(RIGHT)

    free = 0 in before
    takes = free and (item == TOOL or tool >= tier)
    learns = takes and item != TOOL and profession < min(40, 8 * 2 ** (tier - 1))
    made = {ORE: {HELM, CHEST, LEGS}, WOOD: {BOW}, HILT: {SWORD}}.get(item, {item})
    assert tile[1] == (0 if takes else item)
    assert seen["profession"] == profession + learns
    assert world.buffers.rewards[0] == learns
    if takes:
        slot = before.index(0)
        assert seen["types"][slot] in made
        assert seen["tiers"][slot] == tier
        before[slot] = int(seen["types"][slot])
        if item != TOOL:
            back = world.pending("returns")[-1]
            assert back["due"] == world.head["tick"] + 100
            assert (back["cell"], back["item"], back["tier"]) == (20 * WIDTH + 21, item, tier)
    assert seen["types"].tolist() == before


@dataclass
class Trader:
    """A player in the plain market."""

    gold: int
    goods: list[tuple[int, int]]
    menu: int = NO_MENU
    chosen: int = 0


@dataclass
class Market:
    """The market, plainly: offers (price, order, seller, ware) of two players."""

    traders: list[Trader]
    offers: list[tuple[int, int, int, tuple[int, int]]] = field(default_factory=list)
    order: int = 0

    def act(self, who: int, action: int) -> None:
        one = self.traders[who]
        if not KEY <= action < BUY:
            if action != STAY:
                one.menu = {BUY: BUY_WARE, SELL: SELL_SLOT}.get(action, NO_MENU)
            return
        key, menu, one.menu = action - KEY, one.menu, NO_MENU
        if menu == BUY_WARE and key < len(shop := self.shop(one)):
            self.buy(who, shop[key])
        elif menu == SELL_SLOT and one.goods[key][0]:
            one.menu, one.chosen = SELL_PRICE, key
        elif menu == SELL_PRICE:
            self.sell(who, one.chosen, key + 1)
        elif menu == NO_MENU and one.goods[key][0] == HERB:
            one.goods[key] = (0, 0)

    def sell(self, who: int, slot: int, times: int) -> None:
        ware = self.traders[who].goods[slot]
        if sum(offer[3] == ware for offer in self.offers) == OFFERS:
            return
        self.traders[who].goods[slot] = (0, 0)
        self.order += 1
        self.offers.append((times * ware[1], self.order, who, ware))

    def buy(self, who: int, ware: tuple[int, int]) -> None:
        one = self.traders[who]
        found = sorted(offer for offer in self.offers if offer[3] == ware)
        if not found or found[0][0] > one.gold or (0, 0) not in one.goods:
            return
        price, _, seller, _ = found[0]
        self.offers.remove(found[0])
        one.goods[one.goods.index((0, 0))] = ware
        if seller != who:
            one.gold -= price
            self.traders[seller].gold = min(99, self.traders[seller].gold + price)

    def shop(self, one: Trader) -> list[tuple[int, int]]:
        """What one can pay, the best tier first."""
        wares = {offer[3] for offer in self.offers}
        paid = [ware for ware in wares if self.price(ware) <= one.gold]
        return sorted(paid, key=lambda ware: (-ware[1], -ware[0]))[:SLOTS]

    def price(self, ware: tuple[int, int]) -> int:
        return min((offer[0] for offer in self.offers if offer[3] == ware), default=0)


wares = st.tuples(st.sampled_from([HELM, SWORD, TOOL, 7, HERB]), st.integers(1, TIERS))
keys = st.integers(KEY, KEY + SLOTS - 1)
deals = st.one_of(
    st.tuples(st.just(SELL), keys, keys),
    st.tuples(st.just(BUY), keys),
    st.tuples(st.sampled_from([BUY, SELL, STAY, UP, KEY, KEY + 11])),
)


@example(max_examples=80)
@given(
    gold=st.tuples(st.integers(0, 99), st.integers(0, 99)),
    goods=st.tuples(*[st.lists(wares, max_size=SLOTS)] * 2),
    played=st.lists(st.tuples(st.integers(0, 1), deals), max_size=30),
)
def test_the_market(world: World, gold: tuple, goods: tuple, played: list):
    world.empty()
    world.head["prices"] = world.head["offer_counts"] = 0
    world.head["offers"] = np.zeros((), OFFER)
    market = Market([])
    for who in (0, 1):
        player, carried = world.players[who], [*goods[who], *[(0, 0)] * (SLOTS - len(goods[who]))]
        market.traders.append(Trader(gold[who], carried))
        for name in ("types", "tiers", "used", "worn"):
            player["seen"][name][:] = 0
        player["seen"]["held"] = player["seen"]["menu"] = player["attack"] = player["defence"] = 0
        player["seen"]["types"], player["seen"]["tiers"] = np.transpose(carried)
        player["seen"]["gold"], player["offers"] = gold[who], 0
        world.bodies[who]["in_combat"] = 0
    owned = Counter(ware for one in market.traders for ware in one.goods)
    for who, actions in played:
        for action in actions:
            if market.traders[who].menu == NO_MENU and KEY <= action < BUY:
                continue  # wearing things is another matter
            world.act(*[action if who == each else STAY for each in (0, 1)])
            market.act(who, action)
            for each, one in enumerate(market.traders):
                seen = world.players[each]["seen"]
                assert seen["gold"] == one.gold
                assert seen["menu"] == one.menu
                assert [
                    *zip(seen["types"].tolist(), seen["tiers"].tolist(), strict=True)
                ] == one.goods
                shop = [*market.shop(one), *[(0, 0)] * SLOTS][:SLOTS]
                assert seen["shop_types"].tolist() == [kind for kind, _ in shop]
                assert seen["shop_tiers"].tolist() == [tier for _, tier in shop]
            listed = world.buffers.observations[0, -GOODS * TIERS :]
            for tier in range(1, TIERS + 1):
                for kind in range(1, GOODS + 1):
                    assert listed[(tier - 1) * GOODS + kind - 1] == market.price((kind, tier))
    offered = Counter(offer[3] for offer in market.offers)
    now = Counter(ware for one in market.traders for ware in one.goods) + offered
    assert {**now, (0, 0): 0} == {**owned, (0, 0): 0}
    if sum(gold) < 99:  # else some of it may be lost to who has all it can carry
        assert sum(one.gold for one in market.traders) == sum(gold)


def check_bounds(world: World, spots: Counter) -> None:
    """All that must hold at the end of every tick."""
    here = world.bodies[world.bodies["away"] == 0]
    cells = here["row"].astype(int) * WIDTH + here["column"]
    assert len(set(cells.tolist())) == len(cells)
    assert (world.tiles[cells, 0] < 8).all()
    assert ((here["level"] >= 1) & (here["level"] <= 40)).all()
    assert ((here["hp"] >= 1) & (here["hp"] <= 99)).all()
    seen = world.players["seen"]
    assert ((seen["profession"] >= 1) & (seen["profession"] <= 40) & (seen["gold"] <= 99)).all()
    assert (seen["types"] <= GOODS).all()
    assert ((seen["types"] > 0) == (seen["tiers"] > 0)).all()
    for player in world.players:
        own = player["seen"]
        worn = {}
        for slot in np.flatnonzero(own["used"]):
            kind, tier = int(own["types"][slot]), int(own["tiers"][slot])
            place = kind - 1 if kind <= LEGS else 3 if kind <= TOOL else 4
            assert place not in worn
            worn[place] = tier
        assert own["worn"].tolist() == [worn.get(place, 0) for place in range(5)]
    lies = [
        (int(cell), *map(int, world.tiles[cell, 1:3])) for cell in np.flatnonzero(world.tiles[:, 1])
    ]
    resources = Counter(each for each in lies if each[1] != TOOL)
    resources.update(
        (int(each["cell"]), int(each["item"]), int(each["tier"]))
        for each in world.pending("returns")
    )
    assert resources == spots
    tools = [each[0] for each in lies if each[1] == TOOL]
    assert sorted(tools) == sorted(
        int(each["cell"]) for each in world.pending("drops") if each["cell"] >= 0
    )
    counts, offers = world.head["offer_counts"], world.head["offers"]
    sellers = Counter(
        int(offer["seller"])
        for ware in range(GOODS * TIERS)
        for offer in offers[ware][: counts[ware]]
    )
    assert [sellers.get(who, 0) for who in range(PLAYERS)] == world.players["offers"].tolist()
    lesser = np.minimum(world.bodies["level"][:PLAYERS], seen["profession"])
    assert world.head["level_sum"] == lesser.sum()


@example(max_examples=15)
@given(seed=st.integers(0, 2**32), strange=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=8))
def test_what_always_holds(world: World, seed: int, strange: list[int]):
    """Players with all sorts of things, who do anything at all, also what is no action."""
    world.env.reset(0, world.buffers)
    rng = np.random.default_rng(seed)
    spots = Counter(
        (int(cell), *map(int, world.tiles[cell, 1:3])) for cell in np.flatnonzero(world.tiles[:, 1])
    )
    seen = world.players["seen"]
    seen["types"] = rng.integers(0, GOODS + 1, seen["types"].shape)
    seen["tiers"] = np.where(seen["types"] > 0, rng.integers(1, 6, seen["types"].shape), 0)
    seen["gold"] = rng.integers(0, 100, PLAYERS)
    for tick in range(60):
        actions = rng.integers(0, ACTIONS, PLAYERS)
        if tick % 3 == 1:  # go on with menus
            actions = np.where(seen["menu"] > 0, rng.integers(KEY, BUY, PLAYERS), actions)
        actions[: len(strange)] = strange
        world.step(actions)
        check_bounds(world, spots)
