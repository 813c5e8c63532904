"""Seeds have one purpose each, and all that begin a range are in one table."""

from __future__ import annotations

import ast

from training import seeds
from training.run.provenance import ROOT


def test_every_range_of_seeds_is_in_the_table() -> None:
    for folder in ("training", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            if path == ROOT / "training" / "seeds.py":
                continue
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).upper().endswith("SEED"):
                    value = node.value
                    small = isinstance(value, ast.Constant) and int(value.value) <= 1000
                    assert small, f"{path}: {ast.unparse(node)}: take it from training.seeds"


def test_no_two_ranges_begin_alike_and_the_table_names_all() -> None:
    begins = {name: value for name, value in vars(seeds).items() if name.endswith("_SEED")}
    assert len(set(begins.values())) == len(begins)
    for name, value in begins.items():
        assert f"| {value:_} and up" in seeds.__doc__ or value - seeds.RENDERED_SEED in (117, 133), name
