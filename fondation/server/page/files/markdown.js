/** Markdown as a tree of plain values, which views make nodes of: what a model writes never becomes HTML.
 *
 * It is the part of CommonMark and of GitHub's tables and lists that models write. HTML is text like any other.
 * A block is `{type, source, end, ...}`, where equal sources make equal blocks, and `end` is the line behind it; an
 * inline is a string or `{type, ...}`.
 */

import { parseInlines } from './inlines.js';

/** Blocks at a text's end that may become others once it goes on: its last line may be of the block before. */
const UNSETTLED = 2;
/** Quotes and lists within each other, beyond which they are plain text. */
const DEEPEST = 12;

const FENCE = /^( {0,3})(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$/;
const UNDERLINE = /^ {0,3}=+[ \t]*$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|(\d{1,9})[.)])(?:[ \t]+(.*)|)$/;
const TASK = /^\[([ xX])\][ \t]+/;
const TABLE_RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const BLANK = /^\s*$/;

/** `known` are the blocks of a text that this one goes on with: only its end is read again. */
export function parseMarkdown(text, known = []) {
  const settled = known.slice(0, -UNSETTLED);
  return [...settled, ...parseBlocks(text.split(/\r\n|\n|\r/), 0, settled.at(-1)?.end)];
}

function parseBlocks(lines, depth, from = 0) {
  const blocks = [];
  let at = from;
  while (at < lines.length) {
    if (BLANK.test(lines[at])) {
      at += 1;
      continue;
    }
    const [block, next] = parseBlock(lines, at, depth);
    blocks.push({ ...block, source: lines.slice(at, next).join('\n'), end: next });
    at = next;
  }
  return blocks;
}

/** The block that begins at a line, and the line behind it. */
function parseBlock(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line)) return parseFence(lines, at);
  if (HEADING.test(line)) {
    const [, marks, text = ''] = HEADING.exec(line);
    return [{ type: 'heading', level: marks.length, children: parseInlines(text) }, at + 1];
  }
  if (RULE.test(line)) return [{ type: 'rule' }, at + 1];
  if (isTable(lines, at)) return parseTable(lines, at);
  if (depth < DEEPEST && QUOTE.test(line)) return parseQuote(lines, at, depth);
  if (depth < DEEPEST && ITEM.test(line)) return parseList(lines, at, depth);
  return parseParagraph(lines, at, depth);
}

/** Whether a line ends the paragraph before it. */
function interrupts(lines, at, depth) {
  const line = lines[at];
  if ([BLANK, FENCE, HEADING, RULE, UNDERLINE].some((pattern) => pattern.test(line))) return true;
  if (depth < DEEPEST && (QUOTE.test(line) || /^ {0,3}(?:[-*+]|1[.)])[ \t]+\S/.test(line))) return true;
  return isTable(lines, at);
}

function parseParagraph(lines, at, depth) {
  let next = at + 1;
  while (next < lines.length && !interrupts(lines, next, depth)) next += 1;
  const text = lines
    .slice(at, next)
    .map((line) => line.trimStart())
    .join('\n')
    .trimEnd();
  const children = parseInlines(text);
  if (UNDERLINE.test(lines[next] ?? '')) return [{ type: 'heading', level: 1, children }, next + 1];
  return [{ type: 'paragraph', children }, next];
}

/** Code up to its closing fence; to the end, where that is still to come. */
function parseFence(lines, at) {
  const [, indent, fence, info] = FENCE.exec(lines[at]);
  const closing = new RegExp(`^ {0,3}\\${fence[0]}{${fence.length},}[ \\t]*$`);
  let next = at + 1;
  while (next < lines.length && !closing.test(lines[next])) next += 1;
  const code = lines.slice(at + 1, next).map((line) => withoutIndent(line, indent.length));
  return [{ type: 'code', language: info.trim().split(/\s/)[0], text: code.join('\n') }, next + 1];
}

function parseQuote(lines, at, depth) {
  const quoted = [];
  let next = at;
  while (next < lines.length) {
    if (QUOTE.test(lines[next])) quoted.push(lines[next].replace(QUOTE, ''));
    else if (BLANK.test(quoted.at(-1)) || interrupts(lines, next, depth)) break;
    else quoted.push(lines[next]);
    next += 1;
  }
  return [{ type: 'quote', children: parseBlocks(quoted, depth + 1) }, next];
}

/** A list. What is indented below an item belongs to it, also by less than its text is: models are not exact. */
function parseList(lines, at, depth) {
  const first = marker(lines[at]);
  const items = [];
  let next = at;
  let isLoose = false;
  while (next < lines.length) {
    const found = marker(lines[next]);
    if (!found || found.kind !== first.kind || found.indent > first.indent + 1 || RULE.test(lines[next])) break;
    const end = itemEnd(lines, next, found.indent);
    const inside = lines.slice(next + 1, end).map((line) => withoutIndent(line, found.width));
    const task = TASK.exec(found.text);
    const text = task ? found.text.slice(task[0].length) : found.text;
    const children = parseBlocks([text, ...inside], depth + 1);
    items.push({ children, isDone: task ? task[1] !== ' ' : null });
    next = end;
    while (next < lines.length && BLANK.test(lines[next])) next += 1;
    const goesOn = next < lines.length && marker(lines[next])?.kind === first.kind;
    isLoose ||= (goesOn && next > end) || hasBlankBetween(inside, children);
    if (!goesOn) {
      next = end;
      break;
    }
  }
  const start = first.kind === '1' ? first.number : null;
  return [{ type: 'list', start, isLoose, items }, next];
}

function marker(line) {
  const found = ITEM.exec(line);
  if (!found) return null;
  const [, indent, sign, number, text = ''] = found;
  const kind = number === undefined ? sign : '1';
  return { indent: indent.length, width: line.length - text.length, kind, number: Number(number), text };
}

/** The line behind an item: blank ones at its end are not of it. */
function itemEnd(lines, at, indent) {
  let end = at + 1;
  for (let next = at + 1; next < lines.length; next += 1) {
    const line = lines[next];
    if (BLANK.test(line)) continue;
    const isIndented = indentOf(line) >= indent + 2;
    const isLazy = next === end && !marker(line) && !interrupts(lines, next, 0);
    if (!isIndented && !isLazy) break;
    end = next + 1;
  }
  return end;
}

function hasBlankBetween(lines, children) {
  return children.length > 1 && children[1].type === 'paragraph' && lines.some((line) => BLANK.test(line));
}

function isTable(lines, at) {
  const next = lines[at + 1];
  if (next === undefined || !lines[at].includes('|') || !next.includes('-') || !TABLE_RULE.test(next)) return false;
  return cells(lines[at]).length === cells(next).length;
}

function parseTable(lines, at) {
  const aligns = cells(lines[at + 1]).map(alignment);
  let next = at + 2;
  while (next < lines.length && lines[next].includes('|') && !BLANK.test(lines[next])) next += 1;
  const rows = lines.slice(at + 2, next).map((line) => row(line, aligns.length));
  return [{ type: 'table', aligns, head: row(lines[at], aligns.length), rows }, next];
}

function row(line, length) {
  const found = cells(line);
  return Array.from({ length }, (_, place) => parseInlines(found[place] ?? ''));
}

/** What stands between the bars of a line, except those behind a backslash. */
function cells(line) {
  const found =
    line
      .trim()
      .replace(/^\|/, '')
      .match(/(?:\\.|[^|\\]|\\$)+|(?<=\|)(?=\|)|^(?=\|)/g) ?? [];
  return found.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function alignment(cell) {
  const [left, right] = [cell.startsWith(':'), cell.endsWith(':')];
  if (left && right) return 'center';
  return right ? 'right' : left ? 'left' : null;
}

function indentOf(line) {
  return /^[ \t]*/.exec(line)[0].replaceAll('\t', '    ').length;
}

function withoutIndent(line, most) {
  const indent = Math.min(indentOf(line), most);
  return line.replace(/^[ \t]*/, (blanks) => blanks.replaceAll('\t', '    ').slice(indent));
}
