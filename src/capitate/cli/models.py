"""`capitate models`: the released weights, their verification and their cards."""

from __future__ import annotations

import json
from typing import Annotated

import typer

__all__ = ["models"]

models = typer.Typer(help="List, verify and describe the released models.", no_args_is_help=True)
_Name = Annotated[str, typer.Argument(metavar="NAME", help="Bundle, by name or folder.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@models.command("list", epilog="Examples:\n\n  capitate models list\n\n  capitate models list --json")
def list_models(*, as_json: _Json = False) -> None:
    """List the bundles that ship with Capitate."""
    from capitate.runtime.bundle import bundle_names, load_bundle

    bundles = [load_bundle(name) for name in bundle_names()]
    rows = [
        {
            "name": one.name,
            "version": one.reference.version,
            "task": str(one.card["task"]),
            "networks": len(one.networks),
            "bytes": one.size_bytes,
            "licence": one.reference.licence,
            "sha256": one.sha256,
        }
        for one in bundles
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        size = f"{row['bytes'] / 1e6:.1f} MB"  # type: ignore[operator]
        print(
            f"{row['name']:18} {row['version']:8} {row['task']:14} {row['networks']} network(s) {size:>8}  "
            f"sha256 {str(row['sha256'])[:12]}  {row['licence']}"
        )


@models.command("verify", epilog="Examples:\n\n  capitate models verify\n\n  capitate models verify bone-age")
def verify(
    *, names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Bundles; all if left out.")] = None
) -> None:
    """Check every byte of bundles against their sha256 sums, and that their networks load."""
    from capitate.errors import BundleError
    from capitate.runtime.bundle import bundle_names, load_bundle
    from capitate.runtime.session import Session

    damaged = []
    for name in names or bundle_names():
        try:
            bundle = load_bundle(name)
            for network in bundle.networks:
                Session(network, threads=1)
        except BundleError as error:
            damaged.append(error)
            print(f"{name}: damaged")
        else:
            print(f"{name}: whole, sha256 {bundle.sha256}")
    if damaged:
        raise BundleError("; ".join(str(error) for error in damaged))


@models.command("card", epilog="Examples:\n\n  capitate models card bone-age\n\n  capitate models card bone-age --json")
def card(name: _Name, *, as_json: _Json = False) -> None:
    """Print a model's card: what it does, what it was trained on, how right it is, and its terms."""
    from capitate.runtime.bundle import load_bundle

    bundle = load_bundle(name)
    file = bundle.folder / ("card.json" if as_json else "card.md")
    print(file.read_text(encoding="utf-8"), end="")
