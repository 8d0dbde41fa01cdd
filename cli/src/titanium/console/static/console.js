// How charts write values; called by the options that the server makes (widgets.chart_options).
function consoleFormat(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const short = (number) => String(Number(number.toPrecision(3)));
  if (unit === "s") {
    if (value === 0) return "0";
    return value < 1 ? short(value * 1000) + " ms" : short(value) + " s";
  }
  if (unit === "ratio") return short(value * 100) + " %";
  if (unit === "bytes") {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let index = 0;
    while (Math.abs(value) >= 1000 && index < units.length - 1) {
      value /= 1000;
      index += 1;
    }
    return short(value) + " " + units[index];
  }
  return short(value) + (unit ? " " + unit : "");
}
