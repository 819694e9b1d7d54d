// Dates as whole seconds since 1970, as `nnspec.runtime.rules.dates` and `rules.times` read them.

const MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const ISO = /^(\d{4})-?(?:(\d{2})-?(\d{2})|W(\d{2})(?:-?(\d))?)(?:.(\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?\s*(Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?)?$/;

export const GAP = -(2n ** 63n);

function moment(year, month, day, hour, minute, second) {
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  date.setUTCFullYear(year, month - 1, day);
  const isReal = year >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  return isReal ? date.getTime() / 1000 : null;
}

function offsetOf(text) {
  if (!text || text === "Z" || text === "z") return 0;
  const digits = text.slice(1).replaceAll(":", "");
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4) || 0) * 60 + Number(digits.slice(4, 6) || 0);
  return text[0] === "-" ? -seconds : seconds;
}

/** Seconds with their fraction, and whether there is an offset; null where it is no ISO 8601 date. */
export function isoMoment(cell) {
  const found = ISO.exec(cell.trim());
  if (!found) return null;
  const [, year, month, day, week, weekday, hour, minute, second, fraction, zone] = found;
  let seconds;
  if (week) {
    const fourth = moment(Number(year), 1, 4, 0, 0, 0);
    const monday = fourth - ((new Date(fourth * 1000).getUTCDay() + 6) % 7) * 86400;
    seconds = monday + ((Number(week) - 1) * 7 + Number(weekday || 1) - 1) * 86400;
    seconds += Number(hour || 0) * 3600 + Number(minute || 0) * 60 + Number(second || 0);
  } else {
    seconds = moment(Number(year), Number(month), Number(day), Number(hour || 0), Number(minute || 0), Number(second || 0));
  }
  if (seconds === null) return null;
  return { seconds: seconds - offsetOf(zone) + Number(`0.${fraction || 0}`), hasOffset: Boolean(zone) };
}

function formatted(cell, form) {
  const names = [];
  const group = (name, text) => {
    names.push(name);
    return `(${text})`;
  };
  const short = (list) => list.map((name) => name.slice(0, 3)).join("|");
  const parts = {
    Y: () => group("Y", "\\d{4}"), y: () => group("y", "\\d{2}"), m: () => group("m", "1[0-2]|0[1-9]|[1-9]"),
    d: () => group("d", "3[01]|[12]\\d|0[1-9]|[1-9]| [1-9]"), H: () => group("H", "2[0-3]|[0-1]\\d|\\d"), I: () => group("I", "1[0-2]|0[1-9]|[1-9]"),
    M: () => group("M", "[0-5]\\d|\\d"), S: () => group("S", "6[01]|[0-5]\\d|\\d"), f: () => group("f", "\\d{1,6}"),
    j: () => group("j", "36[0-6]|3[0-5]\\d|[12]\\d\\d|0[1-9]\\d|00[1-9]|[1-9]\\d|0[1-9]|[1-9]"),
    b: () => group("b", short(MONTHS)), B: () => group("B", MONTHS.join("|")), a: () => group("a", short(DAYS)),
    A: () => group("A", DAYS.join("|")), p: () => group("p", "am|pm"), z: () => group("z", "[+-]\\d{2}:?[0-5]\\d(?::?[0-5]\\d)?|z"),
    Z: () => group("Z", "utc|gmt"), "%": () => "%",
  };
  let pattern = "";
  for (let i = 0; i < form.length; i++) {
    if (form[i] === "%" && parts[form[i + 1]]) pattern += parts[form[++i]]();
    else if (/\s/.test(form[i])) pattern += "\\s+";
    else pattern += form[i].replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }
  const found = new RegExp(`^${pattern}$`, "i").exec(cell.trim());
  if (!found) return null;
  const got = Object.fromEntries(names.map((name, i) => [name, found[i + 1].toLowerCase().trim()]));
  const two = Number(got.y);
  const year = got.Y ? Number(got.Y) : got.y ? two + (two < 69 ? 2000 : 1900) : 1900;
  const named = got.b || got.B;
  const month = got.m ? Number(got.m) : named ? 1 + MONTHS.findIndex((name) => name.startsWith(named.slice(0, 3))) : 1;
  let hour = Number(got.H || 0);
  if (got.I) hour = (Number(got.I) % 12) + (got.p === "pm" ? 12 : 0);
  const seconds = moment(year, month, Number(got.d || 1), hour, Number(got.M || 0), Number(got.S || 0));
  if (seconds === null) return null;
  return seconds + (got.j ? (Number(got.j) - 1) * 86400 : 0) - offsetOf(got.z);
}

/** The whole seconds of a date in a format, ISO 8601 without one; null where it is none. */
export function secondsOf(cell, form) {
  let seconds;
  if (form === "unix" || form === "unix_ms") {
    seconds = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(cell) ? Number(cell) / (form === "unix" ? 1 : 1000) : null;
  } else {
    seconds = form ? formatted(cell, form) : isoMoment(cell)?.seconds ?? null;
  }
  if (seconds === null || seconds < -62135596800 || seconds > 253402300799) return null;
  return BigInt(Math.floor(seconds));
}

/** What sorts rows: numbers where all are, moments where all are ISO 8601, else the texts. */
export function sortKeys(cells, asNumbers) {
  const numbers = asNumbers(cells);
  if (numbers) return numbers;
  const moments = cells.map(isoMoment);
  if (moments.every((each) => each && each.hasOffset === moments[0].hasOffset)) return moments.map((each) => each.seconds);
  return cells;
}
