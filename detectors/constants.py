"""Constants of detection, one set for all assets, each with its reason. Those of the episode rule are in episodes.py."""

from __future__ import annotations

# Novelty against the baseline (recipe of DESIGN section 8, measured on bearings and gears)
MEMORY = 128  # vectors of the baseline: enough for mixed loads, and 128 x 30 floats fit the first-level cache
NEIGHBOURS = 5  # the local mean of 5 neighbours is steadier than the nearest, and still local where loads mix
CLIP = 30.0  # in scales: one wild feature must not outvote all others
SCALE_FLOOR = 0.02  # in log units (0.09 dB): a scale of zero makes every later change infinite
HORIZONS = (1, 4, 16)  # blocks: spikes, faults, creeping wear
RING = 16  # the longest horizon
REACH = 4  # expected steps: an average over k blocks takes in nothing older than 4 k of them. A machine that runs
# a quarter of its time still fills its averages
PACE_BLOCKS = 16  # latest blocks whose median step is the expected one: eight of a new cadence move it, a gap does not
HORIZON_FLOOR = 1.3  # noise alone shrinks with sqrt(k); a maximum below 1.3 of that comes from too short a warm-up
SHORTAGE = (
    80.0  # largest healthy norms are raised by 1 + SHORTAGE / warm-up blocks squared: simulated noise exceeded the
)
# boundary on 17, 3, 0.1 % of blocks after 12, 20, 30 blocks of warm-up without it, because centre and scale are in-sample
TRANSIENT_SHARE = 60  # one block in so many of a warm-up may straddle a start, a stop or a change of load
BURN_IN = 2  # the first averages of a warm-up rest on one or two blocks

# Half-space trees
TREES = 25  # River's documented default of the paper
HEIGHT = 8  # likewise
TREE_SEED = 42
TREE_BLOCKS = 4  # the vector is averaged over so many blocks before it goes to the trees: noise cancels, a bias stays
TREE_RANGE = 12.0  # scales on either side that the unit cube of the trees spans. River's running range grows with every
# outlier it learns and lost 0.02 to 0.14 of AUC against this fixed one on bearings and gears
TREE_HOLD = TREE_BLOCKS  # least blocks over the boundary where the trees decide alone: values less than four blocks
# apart share blocks of their averages, so two in a row are hardly more evidence than one. On noise it took episodes from
# 2.2 to 0.2 per 1,000 blocks (warm-up 60), where a wider margin with the same effect lost a fifth of the weak faults
TREE_MEASURED = 5  # healthy tree scores below which their spread cannot be told: the trees stay silent
TREE_SPAN_FLOOR = 0.05  # nats: the least spread of healthy surprise, else ties make any value infinite
TREE_WEIGHT = 0.1  # share of the online part in `full`: it keeps learning, so it must never outvote the baseline
TREE_KNEE = 0.1  # of the boundary: below it the online part falls off exponentially, so that no two scores tie at zero

# Rank and gate
HEALTHY = 256  # scores behind the rank: one in 257 is the smallest p-value a month of blocks needs
REFERENCE_RATE = 1.0 / 256.0  # of the adapting reference: season and run-in, not faults
CANDIDATE_RATE = 1.0 / 16.0  # of the shadow reference during an alarm
LEVEL_BAND = 1.5  # of the largest healthy norm: blocks this close to the shadow reference are on a new level

# Warm-up
LEAST_WARMUP = 12  # below it five neighbours and a median absolute deviation mean nothing

# Layout
LAYOUT_BLOCKS = 20  # blocks of another layout in a row before the model starts anew on it
