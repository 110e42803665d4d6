import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseInlines } from '../../../fondation/server/page/files/inlines.js';
import { parseMarkdown } from '../../../fondation/server/page/files/markdown.js';

/** A tree as a short text, to be read beside what it was made of. */
function told(node) {
  if (typeof node === 'string') return node;
  if (Array.isArray(node)) return node.map(told).join('');
  const inside = told(node.children ?? []);
  switch (node.type) {
    case 'paragraph':
      return `<p>${inside}</p>`;
    case 'heading':
      return `<h${node.level}>${inside}</h${node.level}>`;
    case 'rule':
      return '<hr>';
    case 'quote':
      return `<quote>${inside}</quote>`;
    case 'code':
      return node.language === undefined ? `<c>${node.text}</c>` : `<pre ${node.language}>${node.text}</pre>`;
    case 'list': {
      const items = node.items.map(({ children, isDone }) => {
        const mark = isDone === null ? '' : isDone ? '[x]' : '[ ]';
        const tight = (child) => (child.type === 'paragraph' && !node.isLoose ? told(child.children) : told(child));
        return `<li>${mark}${children.map(tight).join('')}</li>`;
      });
      const name = node.start === null ? 'ul' : `ol ${node.start}`;
      return `<${name}>${items.join('')}</${name.slice(0, 2)}>`;
    }
    case 'table': {
      const row = (cells) => `<tr>${cells.map((cell) => `<td>${told(cell)}</td>`).join('')}</tr>`;
      return `<table ${node.aligns.join(' ')}>${[node.head, ...node.rows].map(row).join('')}</table>`;
    }
    case 'link':
      return `<a ${node.href}>${inside}</a>`;
    case 'picture':
      return `<img ${node.alt}>`;
    case 'break':
      return '<br>';
    case 'strong':
      return `<b>${inside}</b>`;
    case 'emphasis':
      return `<i>${inside}</i>`;
    case 'deleted':
      return `<s>${inside}</s>`;
    default:
      throw new Error(`an unknown node: ${JSON.stringify(node)}`);
  }
}

const markdown = (text) => told(parseMarkdown(text));
const inline = (text) => told(parseInlines(text));

const INLINES = {
  'plain text': 'plain text',
  '*a* _b_ **c** __d__': '<i>a</i> <i>b</i> <b>c</b> <b>d</b>',
  '***both***': '<i><b>both</b></i>',
  '**bold with *em* inside**': '<b>bold with <i>em</i> inside</b>',
  '*em with **bold** inside*': '<i>em with <b>bold</b> inside</i>',
  'snake_case_word and 2*3*4': 'snake_case_word and 2<i>3</i>4',
  'a * b * c': 'a * b * c',
  '**still writing': '**still writing',
  '**a*': '*<i>a</i>',
  '~~gone~~ and ~5 or ~6': '<s>gone</s> and ~5 or ~6',
  '`a*b*` and `` ` ``': '<c>a*b*</c> and <c>`</c>',
  '`open': '`open',
  '\\*plain\\* \\a': '*plain* \\a',
  'one\ntwo  \nthree\\\nfour': 'one<br>two  <br>three<br>four',
  '[a *b*](https://x.example/?q=1)': '<a https://x.example/?q=1>a <i>b</i></a>',
  '[a](https://x.example "title")': '<a https://x.example/>a</a>',
  '[a](<https://x.example/a b>)': '<a https://x.example/a%20b>a</a>',
  '[a](https://x.example/b_(c))': '<a https://x.example/b_(c)>a</a>',
  '[mail](mailto:a@x.example)': '<a mailto:a@x.example>mail</a>',
  '[](https://x.example)': '<a https://x.example/>https://x.example</a>',
  '[open](https://x.example': '[open](<a https://x.example/>https://x.example</a>',
  '[no link] at all': '[no link] at all',
  '[[a](https://x.example)](https://y.example)':
    '[<a https://x.example/>a</a>](<a https://y.example/>https://y.example</a>)',
  '<https://x.example>': '<a https://x.example/>https://x.example</a>',
  'see https://x.example/a_b_c, or (https://y.example).':
    'see <a https://x.example/a_b_c>https://x.example/a_b_c</a>, or (<a https://y.example/>https://y.example</a>).',
  'hmm, the hash': 'hmm, the hash',
  '&lt;b&gt; &amp;amp; &#65;&#x42; &nope; &#0;': '<b> &amp; AB &nope; &#0;',
};

const UNSAFE = {
  '[a](javascript:alert(1))': 'a',
  '[a](JaVaScRiPt:alert(1))': 'a',
  '[a](java\\script:alert)': 'a',
  '[a](data:text/html,<script>)': 'a',
  '[a](vbscript:x)': 'a',
  '[a](file:///etc/passwd)': 'a',
  '[a](//evil.example)': 'a',
  '[a](/relative)': 'a',
  '[a](&#106;avascript:x)': 'a',
  '<javascript:alert(1)>': '<javascript:alert(1)>',
  '<script>alert(1)</script>': '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>': '<img src=x onerror=alert(1)>',
  '![cat](https://x.example/cat.png)': '<a https://x.example/cat.png>cat</a>',
  '![dot](data:image/png;base64,AAAA)': '<img dot>',
  '![dot](data:image/svg+xml;base64,AAAA)': 'dot',
};

const BLOCKS = {
  'one\n\ntwo': '<p>one</p><p>two</p>',
  '# One\n### Three ###\n#hash': '<h1>One</h1><h3>Three</h3><p>#hash</p>',
  'One\n===\nafter\n\n===': '<h1>One</h1><p>after</p><p>===</p>',
  'a\n---\nb\n***': '<p>a</p><hr><p>b</p><hr>',
  '```js\nlet a = "<b>";\n```\nafter': '<pre js>let a = "<b>";</pre><p>after</p>',
  '~~~\n```\n~~~': '<pre >```</pre>',
  '```python\nstill = "writing"': '<pre python>still = "writing"</pre>',
  '````\n```\ninner\n```\n````': '<pre >```\ninner\n```</pre>',
  '> a\n> b\n\nc': '<quote><p>a<br>b</p></quote><p>c</p>',
  '> a\nlazy': '<quote><p>a<br>lazy</p></quote>',
  '> > deep': '<quote><quote><p>deep</p></quote></quote>',
  '- a\n- b': '<ul><li>a</li><li>b</li></ul>',
  '3. a\n4. b': '<ol 3><li>a</li><li>b</li></ol>',
  '- a\n  - b\n    - c\n- d': '<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ul>',
  '1. a\n  - b\n2. c': '<ol 1><li>a<ul><li>b</li></ul></li><li>c</li></ol>',
  '- a\n\n- b': '<ul><li><p>a</p></li><li><p>b</p></li></ul>',
  '- a\n\n  more\n- b': '<ul><li><p>a</p><p>more</p></li><li><p>b</p></li></ul>',
  '- a\nlazy\n\nout': '<ul><li>a<br>lazy</li></ul><p>out</p>',
  '- a\n\nout': '<ul><li>a</li></ul><p>out</p>',
  '1. a\n   ```\n   code\n   ```\n2. b': '<ol 1><li>a<pre >code</pre></li><li>b</li></ol>',
  '- [ ] open\n- [x] done': '<ul><li>[ ]open</li><li>[x]done</li></ul>',
  'text\n- item': '<p>text</p><ul><li>item</li></ul>',
  'in 1986. a year\n1986. too': '<p>in 1986. a year<br>1986. too</p>',
  '* a\n- b': '<ul><li>a</li></ul><ul><li>b</li></ul>',
  '| a | b |\n|---|--:|\n| 1 | **2** |\n| 3 |':
    '<table  right><tr><td>a</td><td>b</td></tr><tr><td>1</td><td><b>2</b></td></tr><tr><td>3</td><td></td></tr></table>',
  'a | b\n:-|:-:\n1 \\| 2 | |\n\nout':
    '<table left center><tr><td>a</td><td>b</td></tr><tr><td>1 | 2</td><td></td></tr></table><p>out</p>',
  '| a | b |\n|---|': '<p>| a | b |<br>|---|</p>',
  'a | b': '<p>a | b</p>',
  'windows\r\nlines': '<p>windows<br>lines</p>',
  '': '',
  '   \n\n': '',
  '-': '<ul><li></li></ul>',
  '**\n#': '<p>**</p><h1></h1>',
};

for (const [name, cases, make] of [
  ['inline', INLINES, inline],
  ['unsafe', UNSAFE, inline],
  ['block', BLOCKS, markdown],
]) {
  for (const [text, wanted] of Object.entries(cases)) {
    test(`${name}: ${JSON.stringify(text)}`, () => assert.equal(make(text), wanted));
  }
}

test('every beginning of a text is read, since it streams', () => {
  const whole = Object.keys({ ...INLINES, ...UNSAFE }).join(' ') + '\n\n' + Object.keys(BLOCKS).join('\n\n');
  for (let end = 0; end <= whole.length; end += 1) markdown(whole.slice(0, end));
});

test('nothing takes long, or too deep a stack', () => {
  const hostile = [
    '*a ',
    '_a *b ',
    '[',
    '![',
    '[a](',
    '`',
    '`` ` ',
    '> ',
    '>',
    '- ',
    '1. ',
    '<',
    '(',
    '&',
    '**a',
    '|',
    '\n|-|\n',
    '[a](<',
    'https://a)',
    '~~a ',
    '\\',
  ];
  const began = performance.now();
  for (const piece of hostile) {
    markdown(piece.repeat(20_000));
    markdown(`${piece}\n`.repeat(5_000));
  }
  markdown(`https://a/${')'.repeat(50_000)}`);
  markdown(Array.from({ length: 2_000 }, (_, depth) => `${' '.repeat(depth)}- a`).join('\n'));
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds < 20, `${seconds} s`);
});

test('equal blocks have equal sources, so that a view knows what has not changed', () => {
  const [first] = parseMarkdown('one\n\ntwo').map((block) => block.source);
  assert.equal(first, parseMarkdown('one\n\ntwo and more')[0].source);
});

test('a text that goes on is read as if it had come at once', () => {
  const marks = ['#', '# ', '- ', '  ', '1. ', '> ', '|', '|-|-|', '---', '===', '```', '*b*', '`', '    '];
  const pieces = ['a ', '\n', '\r', '\n\n', ...marks];
  let seed = 7;
  const random = (below) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  for (let round = 0; round < 300; round += 1) {
    let text = '';
    let blocks = [];
    for (let count = 0; count < 40; count += 1) {
      text += pieces[random(pieces.length)];
      blocks = parseMarkdown(text, blocks);
      assert.deepEqual(blocks, parseMarkdown(text), JSON.stringify(text));
    }
  }
});
