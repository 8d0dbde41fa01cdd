"""Instances, their disks, and groups of them."""

from __future__ import annotations

from decimal import Decimal

from titanium.cost.model import Resource
from titanium.cost.pricing.bill import IN_CONFIGURATION, Bill

_TEMPLATE = "aws_launch_template"
# What is asked for beyond the size, and how much of it is included.
_INCLUDED = {
    "gp3": {"iops": Decimal(3000), "throughput": Decimal(125)},
    "io1": {"iops": Decimal(0)},
    "io2": {"iops": Decimal(0)},
}
# What EKS takes when a node group does not say.
_NODE_TYPE, _NODE_DISK = "t3.medium", Decimal(20)


def instance(bill: Bill) -> None:
    template = _template(bill)
    kind = bill.text("instance_type")
    if not kind and template is not None:
        kind = bill.text("instance_type", resource=template)
    if not kind:
        bill.refuse("instance_type", "is not set", IN_CONFIGURATION)
    _linux_on_demand(bill, template)
    _run(bill, kind, Decimal(1), template)
    if bill.blocks("root_block_device"):
        _disk(bill, "root_block_device", 0)
    elif template is not None and bill.blocks("block_device_mappings", template):
        _template_disks(bill, template, Decimal(1))
    else:
        bill.refuse(
            "root_block_device",
            "its size and type are the image's, known only after apply",
            "write root_block_device with volume_type and volume_size",
        )
    for at in range(bill.blocks("ebs_block_device")):
        _disk(bill, "ebs_block_device", at)
    # An Elastic IP takes the place of this one; it is priced as aws_eip.
    if bill.get("associate_public_ip_address"):
        bill.per_hour("Public IPv4 address", "ipv4.hour", "associate_public_ip_address", stops=True)


def volume(bill: Bill) -> None:
    _storage(bill, "Storage", (), Decimal(1), None)


def node_group(bill: Bill) -> None:
    capacity = bill.text("capacity_type", default="ON_DEMAND")
    if capacity != "ON_DEMAND":
        bill.refuse("capacity_type", f"{capacity} has no fixed price", "ON_DEMAND has")
    template = _template(bill)
    count = bill.used("instances")
    if count is None:
        count = bill.number("scaling_config", 0, "desired_size")
    kind = bill.text("instance_types", 0)
    if not kind and template is not None:
        kind = bill.text("instance_type", resource=template)
    _linux_on_demand(bill, template)
    _run(bill, kind or _NODE_TYPE, count, template)
    if template is not None and bill.blocks("block_device_mappings", template):
        _template_disks(bill, template, count)
        return
    size = bill.number("disk_size", default=_NODE_DISK)
    bill.per_month("Disks (gp2, the default of EKS)", "ebs.gp2", "disk_size", size * count, "GB")


def autoscaling_group(bill: Bill) -> None:
    template = _template(bill)
    if template is None:
        bill.refuse(
            "launch_template", "only groups of a launch template are priced", IN_CONFIGURATION
        )
    count = bill.used("instances")
    if count is None:
        count = bill.number("desired_capacity", default=bill.number("min_size"))
    _linux_on_demand(bill, template)
    _run(bill, bill.text("instance_type", resource=template), count, template)
    if not bill.blocks("block_device_mappings", template):
        bill.refuse(
            "block_device_mappings",
            "size and type of its disk are the image's",
            "write block_device_mappings into the launch template",
        )
    _template_disks(bill, template, count)


def _linux_on_demand(bill: Bill, template: Resource | None) -> None:
    options = "instance_market_options"
    if bill.blocks(options) or (template is not None and bill.blocks(options, template)):
        bill.refuse(options, "spot prices change", "price it on demand")
    system = bill.used_text("operating_system", "linux")
    if system != "linux":
        bill.refuse("usage operating_system", f"{system} has no prices", "linux has")
    tenancy = bill.text("tenancy", default="default")
    if tenancy != "default":
        bill.refuse("tenancy", f"{tenancy} has no prices", "default has")


def _run(bill: Bill, kind: str, count: Decimal, template: Resource | None) -> None:
    watched = bill.get("monitoring") is True
    if template is not None and bill.blocks("monitoring", template):
        watched = watched or bill.get("monitoring", 0, "enabled", resource=template) is True
    if watched:
        name, key = "Detailed monitoring", "ec2.detailed-monitoring"
        bill.per_month(name, key, "monitoring", count, "instances")
    for at in range(bill.blocks("network_interfaces", template) if template is not None else 0):
        path = ("network_interfaces", at, "associate_public_ip_address")
        if bill.text(*path, resource=template).lower() == "true":
            bill.per_hour("Public IPv4 addresses", "ipv4.hour", _TEMPLATE, count=count, stops=True)
    key = f"ec2.{kind}"
    bill.per_hour(
        f"Instance (Linux, on demand, {kind})", key, "instance_type", count=count, stops=True
    )


def _disk(bill: Bill, block: str, at: int) -> None:
    name = "Root disk" if block == "root_block_device" else f"Disk {at}"
    _storage(bill, name, (block, at), Decimal(1), None)


def _template_disks(bill: Bill, template: Resource, count: Decimal) -> None:
    for at in range(bill.blocks("block_device_mappings", template)):
        path = ("block_device_mappings", at, "ebs", 0)
        _storage(bill, f"Disk {at}", path, count, template)


def _storage(
    bill: Bill, name: str, path: tuple[str | int, ...], count: Decimal, source: Resource | None
) -> None:
    """A disk described at `path`: `volume_type` and `volume_size`, or a volume's own names."""
    kind_name, size_name = ("volume_type", "volume_size") if path else ("type", "size")
    kind = bill.text(*path, kind_name, default="gp2", resource=source)
    size = bill.number(*path, size_name, resource=source)
    where = ".".join(str(part) for part in (*path, kind_name))
    bill.per_month(f"{name} ({kind})", f"ebs.{kind}", where, size * count, "GB")
    for attribute, included in _INCLUDED.get(kind, {}).items():
        place = (*path, attribute)
        # What nobody wrote AWS fills in: with what is included.
        if bill.is_open(*place, resource=source):
            continue
        more = bill.number(*place, default=included, resource=source) - included
        if more > 0:
            key = f"ebs.{kind}.{attribute}"
            bill.per_month(f"{name}: {attribute}", key, attribute, more * count, attribute)


def _template(bill: Bill) -> Resource | None:
    """The launch template that the resource is made from, by id, name or the configuration."""
    if not bill.blocks("launch_template"):
        return None
    found = _named(bill) or _referred(bill)
    if found is None:
        bill.refuse(
            "launch_template",
            "the template is not part of this plan, so its instance type is not known",
            "make it in the same plan, or write instance type and disks on the resource itself",
        )
    return found


def _named(bill: Bill) -> Resource | None:
    for name in ("id", "name"):
        path = ("launch_template", 0, name)
        wanted = None if bill.is_open(*path) else bill.get(*path)
        for other in bill.others.values() if wanted else ():
            if other.type == _TEMPLATE and other.values.get(name) == wanted:
                return other
    return None


def _referred(bill: Bill) -> Resource | None:
    """By the configuration, as long as nothing is applied: `aws_launch_template.this[each.key]`."""
    own = bill.resource.address
    index = own[own.rindex("[") :] if own.endswith("]") else ""
    module = f"{bill.resource.module}." if bill.resource.module else ""
    for reference in (bill.resource.references or {}).get("launch_template", ()):
        named = reference.partition(f"{_TEMPLATE}.")[2]
        name = named.split(".")[0].split("[")[0]
        for end in (index, "", "[0]") if name else ():
            found = bill.others.get(f"{module}{_TEMPLATE}.{name}{end}")
            if found is not None:
                return found
    return None
