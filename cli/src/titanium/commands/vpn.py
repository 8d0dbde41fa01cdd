"""`titanium vpn`: who may connect to the VPC, and what the office's end is set to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from titanium.vpn.laptop import Server
    from titanium.vpn.peers import Peer
    from titanium.vpn.plan import Plan

EPILOG = """\b
Examples:
  titanium vpn peer add alice --qr             keys made here; the file is yours alone
  titanium vpn peer add alice --public-key KEY keys made on alice's own machine
  titanium vpn peer list
  titanium vpn peer revoke alice               then apply: gone within a minute
  titanium vpn pfsense                         what the office's pfSense is set to
"""
_FOLDER = Path(".config/titanium/vpn")
_PRIVATE_KEY_HERE = "(the private key, which never left its machine)"


@click.group(epilog=EPILOG)
def command() -> None:
    """The tunnels to the VPC: laptops through WireGuard, the office through IPsec."""


@command.group(epilog=EPILOG)
def peer() -> None:
    """Laptops that may connect."""


def plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The three networks, as parameters `vpc`, `office` and `laptops`."""
    from titanium.vpn import plan

    for name, default, whose in (
        ("--laptops", plan.LAPTOPS, "the laptops"),
        ("--office", plan.OFFICE, "the office"),
        ("--vpc", plan.VPC, "the VPC"),
    ):
        function = click.option(
            name,
            default=default,
            show_default=True,
            metavar="CIDR",
            help=f"Network of {whose}, as Terraform has it.",
        )(function)
    return function


peers_option = click.option(
    "--peers",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that Terraform reads; default terraform/environments/aws/peers.auto.tfvars.json.",
)
region_option = click.option("--region", help="AWS region; default the configured one.")


@peer.command(epilog=EPILOG)
@click.argument("name")
@click.option("--public-key", metavar="KEY", help="Of keys made elsewhere: no private key here.")
@click.option("--address", help="Default: the lowest free one.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Configuration file.")
@click.option("--qr", is_flag=True, help="Show it as a QR code: WireGuard on a telephone scans it.")
@click.option(
    "--qr-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the QR code as .png or .svg, readable by you alone.",
)
@click.option("--endpoint", metavar="HOST[:PORT]", help="The server; default Terraform's outputs.")
@click.option("--server-key", metavar="KEY", help="Its public key; default Terraform's outputs.")
@click.option("--dns", metavar="ADDRESS", help="Resolver through the tunnel, such as 10.0.0.2.")
@peers_option
@region_option
@plan_options
def add(
    name: str, public_key: str | None, address: str | None, file: Path | None, **options: Any
) -> None:
    """Let laptop NAME connect: an address for it, its configuration, its public key on the list.

    Without --public-key, a key pair is made here. The private key goes into the configuration
    file (mode 0600; default ~/.config/titanium/vpn/NAME.conf) and nowhere else. `terraform apply`
    puts the list into effect.
    """
    from titanium.vpn import keys, laptop, peers
    from titanium.vpn.plan import overlaps_here

    plan, dns = _plan(options), _dns(options)
    _check_outputs(public_key, options)
    file = _file(file)
    pair = None if public_key else keys.make_key_pair()
    with peers.locked(file):
        known = peers.load(file, plan)
        added = peers.new_peer(
            known, plan, name, public_key or (pair.public if pair else ""), address
        )
        if pair is None:
            peers.save(file, [*known, added])
            _say_added(added, file)
            _show_template(added, plan, file, dns, options)
            return
        server = _server(file, options)
        text = laptop.configuration(added, plan, server, pair.private, dns)
        written = _write_files(_out(options["out"], name), options["qr_file"], text)
        try:
            peers.save(file, [*known, added])
        except BaseException:
            for path in written:
                path.unlink(missing_ok=True)
            raise
    _say_added(added, file)
    click.echo(f"its configuration, with its private key: {written[0]}")
    for line in overlaps_here(plan):
        click.echo(f"note: {line}", err=True)
    if options["qr"]:
        click.echo(laptop.qr_text(text))


@peer.command("list", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@peers_option
@plan_options
def list_(file: Path | None, as_json: bool, **options: Any) -> None:
    """Show who may connect."""
    from dataclasses import asdict

    from titanium.vpn import peers

    plan = _plan(options)
    known = peers.load(_file(file), plan)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in known], indent=2))
        return
    for one in known:
        click.echo(f"{one.name:<32}  {one.address:<15}  {one.public_key}")
    # The network's, the server's and the broadcast address are nobody's.
    left = plan.laptops.num_addresses - 3 - len(known)
    click.echo(f"{len(known)} peers; {left} addresses left in {plan.laptops}")


@peer.command(epilog=EPILOG)
@click.argument("name")
@peers_option
@plan_options
def revoke(name: str, file: Path | None, **options: Any) -> None:
    """Take laptop NAME off the list; after `terraform apply` it cannot connect."""
    from titanium.errors import UsageError
    from titanium.vpn import peers

    plan = _plan(options)
    file = _file(file)
    with peers.locked(file):
        known = peers.load(file, plan)
        kept = [one for one in known if one.name != name]
        if len(kept) == len(known):
            names = ", ".join(one.name for one in known) or "none"
            raise UsageError(f"there is no peer {name}", f"There are: {names}.")
        peers.save(file, kept)
    click.echo(f"{name} is off the list {file}")
    click.echo(
        f"next: terraform apply in {file.parent}; the server drops it within a minute. "
        "Until then it connects."
    )


@command.command(epilog=EPILOG)
@click.option("--connection", metavar="ID", help="vpn-...; default Terraform's, else the only one.")
@click.option(
    "--file",
    "xml",
    type=click.Path(dir_okay=False, path_type=Path),
    help="AWS's generic XML configuration instead of asking AWS.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("settings", "swanctl")),
    default="settings",
    show_default=True,
    help="pfSense's fields, or strongSwan's swanctl.conf (it holds the key).",
)
@click.option("--show-keys", is_flag=True, help="Show the pre-shared keys.")
@region_option
@plan_options
def pfsense(
    connection: str | None,
    xml: Path | None,
    form: str,
    show_keys: bool,
    region: str | None,
    **options: Any,
) -> None:
    """Show what the office's pfSense is set to, field by field."""
    from titanium.aws import session
    from titanium.vpn import pfsense as office
    from titanium.vpn.server import outputs

    plan = _plan(options)
    if xml is None:
        name = connection or outputs(_file(None).parent).connection
        described = office.describe(session(region), name)
    else:
        described = office.read(_read(xml), str(xml))
    if form == "swanctl":
        click.echo(office.swanctl(described, plan), nl=False)
        return
    for field, value in office.settings(described, plan, show_keys=show_keys):
        click.echo(f"  {field:<42} {value}" if value else f"\n{field}")


def _plan(options: dict[str, Any]) -> Plan:
    from titanium.vpn.plan import make_plan

    return make_plan(options["vpc"], options["office"], options["laptops"])


def _file(given: Path | None) -> Path:
    from titanium.checkout import checkout
    from titanium.vpn.peers import FILE

    return given.absolute() if given else checkout() / FILE


def _out(given: Path | None, name: str) -> Path:
    """Where the private key goes."""
    return _private((given or Path.home() / _FOLDER / f"{name}.conf").absolute(), "--out")


def _private(file: Path, option: str) -> Path:
    """The same: never in the checkout, from where a private key could be committed."""
    from titanium.checkout import checkout
    from titanium.errors import UsageError

    if file.parent.resolve().is_relative_to(checkout().resolve()):
        raise UsageError(
            f"{file} lies in the checkout, where a private key could be committed",
            f"Give a file elsewhere with {option}.",
        )
    return file


def _check_outputs(public_key: str | None, options: dict[str, Any]) -> None:
    from titanium.errors import UsageError
    from titanium.vpn.laptop import PICTURES

    picture: Path | None = options["qr_file"]
    if public_key and (options["qr"] or picture or options["out"]):
        raise UsageError(
            "with --public-key there is no private key here, so no file and no QR code",
            "Leave out --qr, --qr-file and --out, or --public-key.",
        )
    if picture and picture.suffix not in PICTURES:
        raise UsageError(f"{picture} is neither .png nor .svg", "Name a file that ends in one.")
    if picture:
        _private(picture.absolute(), "--qr-file")


def _write_files(out: Path, picture: Path | None, text: str) -> list[Path]:
    """The configuration and its picture, both or none."""
    from titanium.vpn import laptop

    laptop.write_private(out, text)
    if picture is None:
        return [out]
    try:
        laptop.write_private(picture, laptop.qr_picture(text, picture.suffix))
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    return [out, picture]


def _server(file: Path, options: dict[str, Any]) -> Server:
    from titanium.vpn.server import find_server

    return find_server(file.parent, options["endpoint"], options["server_key"], options["region"])


def _dns(options: dict[str, Any]) -> str | None:
    from ipaddress import IPv4Address

    from titanium.errors import UsageError

    text: str | None = options["dns"]
    try:
        return str(IPv4Address(text)) if text else None
    except ValueError:
        raise UsageError(f"--dns {text!r} is no IPv4 address", "Such as 10.0.0.2.") from None


def _say_added(added: Peer, file: Path) -> None:
    click.echo(f"{added.name} has {added.address}; its public key is on the list {file}")
    click.echo(f"next: terraform apply in {file.parent}; within a minute the server knows it")


def _show_template(
    added: Peer, plan: Plan, file: Path, dns: str | None, options: dict[str, Any]
) -> None:
    """The configuration for who made the keys elsewhere, if the server is known already."""
    from titanium.errors import TitaniumError
    from titanium.vpn import laptop

    try:
        server = _server(file, options)
    except TitaniumError as error:
        click.echo(f"note: no configuration to show: {error.message}", err=True)
        return
    click.echo("")
    click.echo(laptop.configuration(added, plan, server, _PRIVATE_KEY_HERE, dns), nl=False)


def _read(path: Path) -> str:
    from titanium.errors import UsageError

    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"cannot read {path}: {reason}", "Give AWS's XML file.") from None
