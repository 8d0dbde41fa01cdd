"""`titanium cost`: what a Terraform plan costs a month, before it costs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from titanium.errors import EXIT_BUDGET, EXIT_UNPRICED, UsageError

if TYPE_CHECKING:
    from titanium.cost.compare import Comparison
    from titanium.cost.documents import Document
    from titanium.cost.estimate import Terms
    from titanium.cost.model import Estimate

ENVIRONMENT = Path("terraform/environments/aws")
USAGE_FILE, PRICES_FILE = "infracost-usage.yml", "prices.toml"
# Checked against titanium.cost by a test; importing that here would slow `--help` down.
FORMATS = ("table", "json", "markdown", "html", "svg")
SCHEDULES = ("office-hours",)
EPILOG = f"""\b
Examples:
  titanium cost                                    terraform/environments/aws, planned now
  titanium cost --var-file terraform/environments/aws/light.tfvars --schedule office-hours
  titanium cost --plan plan.json --budget 450      a plan that was made before
  titanium cost --plan plan.json --compare main.json --format markdown
  terraform show -json | titanium cost --plan -    what exists, from its state
  titanium cost --explain                          the source documents' figures again

\b
Exit codes besides those of every command:
  0   estimated, and within the budget
  2   a file or an option is wrong, or the region has no prices
  7   terraform was not found
  {EXIT_BUDGET}   estimated, and above the budget
  {EXIT_UNPRICED}  a resource has no price: nothing is estimated
"""


class Dollars(click.ParamType[Decimal]):
    """An amount above zero, exact to the cent: 450 or 449.99."""

    name = "amount"
    most = Decimal(10**9)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            self.fail(f"{value!r} is no amount in dollars", param, ctx)
        if not amount.is_finite() or not 0 < amount <= self.most:
            self.fail(f"{value} is not above zero and at most {self.most:,}", param, ctx)
        if amount != round(amount, 2):
            self.fail(f"{value} is not exact to the cent, as a total is", param, ctx)
        return amount


def file_option(name: str, text: str, **more: Any) -> Callable[[Any], Any]:
    """An option whose value is a file; whether it can be read is found out when it is."""
    return click.option(name, type=click.Path(path_type=Path), metavar="FILE", help=text, **more)


@click.command("cost", epilog=EPILOG)
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@file_option("--plan", "JSON of a plan or state, or what plan -out wrote; - is standard input.")
@file_option("--var-file", "Variables for the plan (repeatable).", multiple=True)
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="A variable.")
@file_option(
    "--usage-file", f"How much is used, as for Infracost (default: {USAGE_FILE} in FOLDER)."
)
@file_option(
    "--prices",
    f"Prices and free types besides the catalogue's (default: {PRICES_FILE} in FOLDER).",
)
@click.option("--region", help="Whose prices (default: what the provider says).")
@click.option(
    "--schedule",
    type=click.Choice(SCHEDULES),
    help="Count what has the tag Schedule=<name> only for the hours of that schedule.",
)
@click.option("--budget", type=Dollars(), help="Fail when the total of a month is above this.")
@file_option("--compare", "Show the difference to this plan, state, or estimate in JSON.")
@click.option("--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True)
@file_option("--output", "Write to this file.")
@click.option(
    "--quiet-below",
    type=Dollars(),
    help="With --compare: show nothing while the difference is smaller and the budget holds.",
)
@click.option("--explain", is_flag=True, help="Reproduce the source documents' figures, and end.")
def command(
    folder: Path | None,
    plan: Path | None,
    var_file: tuple[Path, ...],
    variables: tuple[str, ...],
    usage_file: Path | None,
    prices: Path | None,
    region: str | None,
    schedule: str | None,
    budget: Decimal | None,
    compare: Path | None,
    form: str,
    output: Path | None,
    quiet_below: Decimal | None,
    explain: bool,
) -> None:
    """Say what the Terraform configuration in FOLDER, or a plan, costs a month.

    Each resource is priced from a dated catalogue in the repository; nothing is asked of any
    service. A resource without a price ends the run: it never counts as $0.
    """
    from titanium.cost.catalog import load_catalog
    from titanium.cost.estimate import estimate
    from titanium.cost.show import FORMATS as RENDERERS
    from titanium.cost.show.report import Report

    if explain:
        from titanium.cost.explain import render

        click.echo(render(load_catalog(additions=prices)), nl=False)
        return
    if quiet_below is not None and compare is None:
        raise UsageError("--quiet-below needs --compare", "Say what to compare with.")
    document = _document(folder, plan, var_file, variables)
    used = usage_file or _beside(folder, plan, USAGE_FILE)
    terms = _terms(document, region, prices or _beside(folder, plan, PRICES_FILE), used, schedule)
    result = estimate(document.resources, terms)
    result = replace(result, notes=(*_notes(document, region), *result.notes))
    comparison = _comparison(document, result, compare, terms)
    report = Report(
        name=document.name,
        estimate=result,
        moment=datetime.now().astimezone(),
        budget=budget,
        comparison=comparison,
        actions=_in_words(document.actions),
    )
    small = (
        quiet_below is not None
        and comparison is not None
        and abs(comparison.difference) < quiet_below
    )
    if report.over or not small:
        _write(RENDERERS[form](report), output)
    if report.over:
        click.echo(f"over the budget: {report.verdict}", err=True)
        sys.exit(EXIT_BUDGET)


def _document(
    folder: Path | None, plan: Path | None, var_file: tuple[Path, ...], variables: tuple[str, ...]
) -> Document:
    from titanium.checkout import checkout
    from titanium.cost import documents, run

    place = folder or checkout() / ENVIRONMENT
    if not place.is_dir() and (folder or plan is None):
        raise UsageError(f"{place}: there is no such folder", "Give FOLDER, or --plan FILE.")
    if plan is None:
        return documents.parse(run.plan_json(place, var_file, variables), place.name)
    if var_file or variables:
        raise UsageError(
            "--plan is a plan that was made: variables cannot change it", "Give FOLDER instead."
        )
    piped = plan == Path("-")
    name = "standard input" if piped else plan.name
    data = sys.stdin.buffer.read() if piped else documents.read_bytes(plan)
    if documents.is_plan_file(data):
        return documents.parse(run.shown(data, folder or plan.parent), name)
    return documents.parse(documents.text_of(data, name), name)


def _notes(document: Document, region: str | None) -> tuple[str, ...]:
    """What the document says of itself, and whether it says where its resources are."""
    if region or document.regions or not document.resources:
        return document.notes
    return (*document.notes, f"{document.name} does not say its region: give it with --region")


def _beside(folder: Path | None, plan: Path | None, name: str) -> Path | None:
    """A file of the environment's folder; a plan alone has none."""
    from titanium.checkout import checkout

    if plan is not None and folder is None:
        return None
    file = (folder or checkout() / ENVIRONMENT) / name
    return file if file.is_file() else None


def _terms(
    document: Document,
    region: str | None,
    prices: Path | None,
    usage_file: Path | None,
    schedule: str | None,
) -> Terms:
    from titanium.cost.catalog import DEFAULT_REGION, load_catalog
    from titanium.cost.estimate import Terms
    from titanium.cost.hours import SCHEDULES as KNOWN
    from titanium.cost.usage import Usage, load_usage

    if region is None and len(document.regions) > 1:
        raise UsageError(
            f"{document.name} has providers in {', '.join(sorted(document.regions))}, and one "
            "catalogue has the prices of one region",
            "Choose whose prices to take for all: --region.",
        )
    chosen = region or next(iter(document.regions), DEFAULT_REGION)
    return Terms(
        catalog=load_catalog(chosen, prices),
        usage=load_usage(usage_file) if usage_file is not None else Usage(),
        schedule=KNOWN[schedule] if schedule is not None else None,
    )


def _comparison(
    document: Document, result: Estimate, other: Path | None, terms: Terms
) -> Comparison | None:
    """With what `--compare` names; without it, with what exists before the plan is applied."""
    from titanium.cost import documents
    from titanium.cost.compare import compare, costs_in, costs_of, is_estimate
    from titanium.cost.estimate import UnpricedError, estimate

    if other is None:
        if not document.before:
            return None
        try:
            before = estimate(document.before, terms)
        except UnpricedError as error:
            click.echo(f"no difference to what exists: {error.message}", err=True)
            return None
        return compare("what exists", costs_of(before), costs_of(result))
    text = documents.read_text(other)
    data = documents.load_json(text, other.name)
    if is_estimate(data):
        return compare(other.name, costs_in(data, other.name), costs_of(result))
    try:
        past = estimate(documents.parse(text, other.name).resources, terms)
    except UnpricedError as error:
        raise UnpricedError(f"{other.name}: {error.message}", error.hint, error.details) from None
    return compare(other.name, costs_of(past), costs_of(result))


def _in_words(actions: Any) -> str:
    """`the plan: 12 create, 1 replace`."""
    shown = ", ".join(f"{count} {action}" for action, count in sorted(actions.items()))
    return f"the plan: {shown}" if shown else ""


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}", "Choose another file."
        ) from None
    click.echo(f"Written: {output}")
