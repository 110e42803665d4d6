/** What stands within a line of Markdown: emphasis, code, links. */

/** Delimiters that wait to be closed, beyond which the oldest are text: so a long text takes no long time. */
const MOST_OPEN = 100;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const PLAIN = /[^\\`*_~[\]!<&\nhm]+/y;
const AUTOLINK = /<((?:https?:\/\/|mailto:)[^\s<>]*)>/iy;
const BARE_LINK = /(?:https?:\/\/|mailto:)[^\s<>`*|]+/iy;
const DESTINATION =
  /\(\s*(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\([^\s()]*\))*))(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*\)/y;
const ENTITY = /&(?:(amp|lt|gt|quot|apos|nbsp)|#(\d{1,7})|#[xX]([\da-fA-F]{1,6}));/y;
const NAMED = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };
const SCHEMES = ['http:', 'https:', 'mailto:'];
const PICTURE = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;

export function parseInlines(text) {
  return new InlineParser(text).parse();
}

/** The address of a link that is safe to follow; null for any other. */
export function safeLink(address) {
  try {
    const url = new URL(address);
    return SCHEMES.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

class InlineParser {
  #text;
  #at = 0;
  #tokens = []; // strings, nodes, runs of delimiters and opening brackets
  #brackets = []; // places of opening brackets among the tokens
  #unclosed = new Set(); // lengths of backtick runs that nothing closes

  constructor(text) {
    this.#text = text;
  }

  parse() {
    while (this.#at < this.#text.length) this.#step();
    return nodes(this.#tokens);
  }

  #step() {
    const plain = this.#match(PLAIN);
    if (plain) {
      this.#tokens.push(plain[0]);
      return;
    }
    const character = this.#text[this.#at];
    const parsed = READERS[character]?.call(this, character);
    if (!parsed) this.#take(character);
  }

  #match(pattern) {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }

  #take(token, length = 1) {
    this.#tokens.push(token);
    this.#at += length;
    return true;
  }

  escape() {
    const next = this.#text[this.#at + 1];
    if (next === '\n') return this.#take({ type: 'break' }, 2);
    return next !== undefined && ESCAPABLE.test(next) && this.#take(next, 2);
  }

  newline() {
    return this.#take({ type: 'break' });
  }

  code() {
    const run = /`+/y;
    run.lastIndex = this.#at;
    const length = run.exec(this.#text)[0].length;
    const from = this.#at + length;
    const end = this.#unclosed.has(length) ? -1 : this.#closing(from, length);
    if (end < 0) {
      this.#unclosed.add(length);
      return this.#take('`'.repeat(length), length);
    }
    const inside = this.#text.slice(from, end).replaceAll('\n', ' ');
    const padded = inside.startsWith(' ') && inside.endsWith(' ') && inside.trim();
    return this.#take({ type: 'code', text: padded ? inside.slice(1, -1) : inside }, end + length - this.#at);
  }

  /** Where a run of just so many backticks begins; -1 where there is none. */
  #closing(from, length) {
    const runs = /`+/g;
    runs.lastIndex = from;
    for (let run = runs.exec(this.#text); run; run = runs.exec(this.#text)) {
      if (run[0].length === length) return run.index;
    }
    return -1;
  }

  delimiter(character) {
    let end = this.#at;
    while (this.#text[end] === character) end += 1;
    const length = end - this.#at;
    if (character === '~' && length !== 2) return this.#take(character.repeat(length), length);
    const before = this.#text[this.#at - 1] ?? ' ';
    const after = this.#text[end] ?? ' ';
    const [canOpen, canClose] = flanks(character, before, after);
    return this.#take({ type: 'delimiter', character, length, canOpen, canClose }, length);
  }

  open() {
    this.#brackets.push(this.#tokens.length);
    return this.#take({ type: 'bracket', isPicture: false });
  }

  picture() {
    if (this.#text[this.#at + 1] !== '[') return false;
    this.#brackets.push(this.#tokens.length);
    return this.#take({ type: 'bracket', isPicture: true }, 2);
  }

  /** A link, where an opening bracket waits and an address follows. */
  close() {
    if (!this.#brackets.length) return false;
    const place = this.#brackets.pop();
    this.#at += 1;
    const found = this.#text[this.#at] === '(' ? this.#match(DESTINATION) : null;
    if (!found) {
      this.#tokens.push(']');
      return true;
    }
    const [{ isPicture }, ...inside] = this.#tokens.splice(place);
    const address = (found[1] ?? found[2]).replace(/\\([!-/:-@[-`{-~])/g, '$1');
    this.#tokens.push(...linked(address, nodes(inside), isPicture));
    if (!isPicture) this.#brackets = []; // no link holds another one
    return true;
  }

  angle() {
    const found = this.#match(AUTOLINK);
    const href = found && safeLink(found[1]);
    if (href) this.#tokens.push({ type: 'link', href, children: [found[1]] });
    else if (found) this.#tokens.push(found[0]);
    return Boolean(found);
  }

  bare() {
    if (/\w/.test(this.#text[this.#at - 1] ?? ' ') || this.#brackets.length) return false;
    const start = this.#at;
    const found = this.#match(BARE_LINK);
    if (!found) return false;
    const address = withoutPunctuation(found[0]);
    this.#at = start + address.length;
    const href = safeLink(address);
    this.#tokens.push(href ? { type: 'link', href, children: [address] } : address);
    return true;
  }

  entity() {
    const found = this.#match(ENTITY);
    if (found) this.#tokens.push(character(found));
    return Boolean(found);
  }
}

const READERS = {
  '\\': InlineParser.prototype.escape,
  '\n': InlineParser.prototype.newline,
  '`': InlineParser.prototype.code,
  '*': InlineParser.prototype.delimiter,
  _: InlineParser.prototype.delimiter,
  '~': InlineParser.prototype.delimiter,
  '[': InlineParser.prototype.open,
  '!': InlineParser.prototype.picture,
  ']': InlineParser.prototype.close,
  '<': InlineParser.prototype.angle,
  '&': InlineParser.prototype.entity,
  h: InlineParser.prototype.bare,
  m: InlineParser.prototype.bare,
};

/** A picture shows only where the text itself holds it: nothing is loaded from elsewhere. */
function linked(address, children, isPicture) {
  if (isPicture && PICTURE.test(address)) return [{ type: 'picture', url: address, alt: plainText(children) }];
  const href = safeLink(address);
  if (!href) return children;
  return [{ type: 'link', href, children: children.length ? children : [address] }];
}

export function plainText(children) {
  return children
    .map((child) => (typeof child === 'string' ? child : (child.text ?? plainText(child.children ?? []))))
    .join('');
}

/** A run of delimiters may open emphasis before a word and close it behind one; `_` never within a word. */
function flanks(character, before, after) {
  const blank = /\s/;
  const sign = /[\p{P}\p{S}]/u;
  const left = !blank.test(after) && (!sign.test(after) || blank.test(before) || sign.test(before));
  const right = !blank.test(before) && (!sign.test(before) || blank.test(after) || sign.test(after));
  if (character !== '_') return [left, right];
  return [left && (!right || sign.test(before)), right && (!left || sign.test(after))];
}

/** A sentence's own sign behind an address is not of it, nor a bracket that it did not open. */
function withoutPunctuation(address) {
  let unopened = count(address, ')') - count(address, '(');
  let end = address.length;
  while (/[.,;:!?'"]/.test(address[end - 1]) || (address[end - 1] === ')' && unopened > 0)) {
    if (address[end - 1] === ')') unopened -= 1;
    end -= 1;
  }
  return address.slice(0, end);
}

function count(text, character) {
  return text.split(character).length - 1;
}

function character([whole, name, decimal, hex]) {
  if (name) return NAMED[name];
  const code = decimal ? Number(decimal) : parseInt(hex, 16);
  const isText = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isText ? String.fromCodePoint(code) : whole;
}

/** Tokens with their delimiters made emphasis, or text; brackets that opened no link are text. */
function nodes(tokens) {
  const done = [];
  const openers = []; // places of delimiters in `done` that may open
  for (const token of tokens) {
    if (token.type !== 'delimiter') {
      done.push(token.type === 'bracket' ? (token.isPicture ? '![' : '[') : token);
      continue;
    }
    const rest = token.canClose ? closeEmphasis(done, openers, token) : token;
    if (!rest.length) continue;
    if (rest.canOpen) openers.push(done.length);
    if (openers.length > MOST_OPEN) openers.shift();
    done.push(rest);
  }
  return joined(done);
}

/** Close what the run closes; what is left of the run. */
function closeEmphasis(done, openers, run) {
  let { length } = run;
  while (length) {
    const found = openers.findLastIndex((place) => fits(done[place], run, length));
    if (found < 0) break;
    const place = openers[found];
    const opener = done[place];
    const used = opener.length >= 2 && length >= 2 ? 2 : 1;
    const children = joined(done.splice(place + 1));
    openers.length = found;
    done.push({ type: run.character === '~' ? 'deleted' : used === 2 ? 'strong' : 'emphasis', children });
    const left = opener.length - used;
    if (left) {
      done[place] = { ...opener, length: left };
      openers.push(place);
    } else {
      done.splice(place, 1);
    }
    length -= used;
  }
  return { ...run, length };
}

function fits(opener, run, length) {
  if (opener.character !== run.character) return false;
  const isBetween = opener.canClose || run.canOpen; // a run within a word closes only one whose length goes with it
  return !(isBetween && (opener.length + length) % 3 === 0 && (opener.length % 3 || length % 3));
}

/** The same with its texts joined, and delimiters that emphasize nothing as the text that they are. */
function joined(tokens) {
  const result = [];
  for (const token of tokens) {
    const node = token.type === 'delimiter' ? token.character.repeat(token.length) : token;
    if (typeof node === 'string' && typeof result.at(-1) === 'string') result.push(result.pop() + node);
    else result.push(node);
  }
  return result;
}
