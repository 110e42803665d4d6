/** Numbers, money and times as people read them. */

const COUNT = new Intl.NumberFormat('en-US');
const SAID = {
  none: 'not charged',
  simulated: 'simulated',
  pending: 'cost not known yet',
  unknown: 'cost unknown',
};
/** What is known of a sum whose rest is not. */
const PARTLY = {
  pending: (known) => `${known} so far`,
  unknown: (known) => `at least ${known}`,
};
const SOURCES = {
  billed: 'billed by the provider',
  priced: "by the file's price",
  estimated: 'estimated by a table of prices',
  pending: 'the provider has not told it all yet',
  unknown: 'nobody can tell the rest',
};

/** Dollars with the digits that matter: `$1.25`, `$0.0034`. */
export function money(dollars) {
  const size = Math.abs(dollars);
  const digits = size >= 1 || size === 0 ? 2 : Math.min(12, 2 - Math.floor(Math.log10(size)));
  return `${dollars < 0 ? '-' : ''}$${size.toFixed(digits).replace(/(\.\d\d\d*?)0+$/, '$1')}`;
}

/** Dollars with all digits that a ledger keeps. */
function exactMoney(dollars) {
  return `$${dollars.toFixed(12).replace(/(\.\d\d\d*?)0+$/, '$1')}`;
}

/** What an answer cost; what nobody knows is never told as nothing. */
export function cost(usage = {}) {
  const { cost: dollars, costSource } = usage;
  if (!isTold(usage)) return SAID[costSource] ?? SAID.unknown;
  if (Object.hasOwn(PARTLY, costSource)) return PARTLY[costSource](money(dollars));
  return costSource === 'estimated' ? `about ${money(dollars)}` : money(dollars);
}

/** `$0.003412345678, billed by the provider` */
export function exactCost(usage) {
  if (!isTold(usage)) return cost(usage);
  return [exactMoney(usage.cost), SOURCES[usage.costSource]].filter(Boolean).join(', ');
}

/** Whether it has dollars that say something: a zero may be all that is known so far. */
function isTold({ cost: dollars, costSource }) {
  if (typeof dollars !== 'number' || costSource === 'simulated') return false;
  return dollars > 0 || !Object.hasOwn(SAID, costSource);
}

/** `812 tokens in, 61 out`; null where nobody counted them. */
export function tokens({ promptTokens, completionTokens, totalTokens } = {}) {
  if (promptTokens !== undefined && completionTokens !== undefined) {
    return `${COUNT.format(promptTokens)} tokens in, ${COUNT.format(completionTokens)} out`;
  }
  return totalTokens === undefined ? null : `${COUNT.format(totalTokens)} tokens`;
}

/** `812 in, 61 out, 873 in all` */
export function total({ promptTokens, completionTokens, totalTokens }) {
  const told = { in: promptTokens, out: completionTokens, 'in all': totalTokens };
  const known = Object.entries(told).filter(([, count]) => count !== undefined);
  return known.map(([name, count]) => `${COUNT.format(count)} ${name}`).join(', ');
}

/** `just now`, `12 min ago`, `14:05`, `Tue`, `3 Nov 2026`. */
export function ago(time, now = new Date()) {
  const then = new Date(time);
  const seconds = (now - then) / 1000;
  if (Number.isNaN(seconds)) return '';
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (then.toDateString() === now.toDateString()) {
    return then.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  }
  if (seconds < 6 * 86400) return then.toLocaleDateString([], { weekday: 'short' });
  const year = then.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  return then.toLocaleDateString([], { day: 'numeric', month: 'short', year });
}

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 1_000_000) return `${Math.round(count / 1000)} KB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

/** `Budget team: $9.20 of $10.00 spent, resets 1 Dec, 00:00`. */
export function budget({ budget: name, spent, limit, reset }) {
  const spending = [spent, limit].every((value) => typeof value === 'number')
    ? `${money(spent)} of ${money(limit)} spent`
    : 'nearly spent';
  return `Budget ${name ?? ''}: ${spending}${resets(reset)}`.replace(' :', ':');
}

/** Moments that a sentence of the server names, as here: `2026-12-01T00:00:00Z` is `1 Dec, 01:00`. */
export function withLocalTimes(text) {
  return text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (moment) => localTime(new Date(moment)));
}

export function rate({ limit, remaining, reset }) {
  const left = typeof remaining === 'number' ? `${COUNT.format(remaining)} of ${COUNT.format(limit)} left` : 'reached';
  return `Rate limit: ${left}${resets(reset)}`;
}

function resets(reset) {
  const time = new Date(typeof reset === 'number' ? reset * 1000 : (reset ?? NaN));
  return Number.isNaN(time.getTime()) ? '' : `, resets ${localTime(time)}`;
}

function localTime(time) {
  return time.toLocaleString([], { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
}
