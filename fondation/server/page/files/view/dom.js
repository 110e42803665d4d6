/** Nodes: everything on the page is made of these, and nothing of HTML text. */

const SVG = 'http://www.w3.org/2000/svg';

/** An element. A property is `on...` for a listener, `class`, a property of the node, or an attribute. */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) set(node, name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function set(node, name, value) {
  if (value === null || value === undefined) return;
  if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
  else if (name === 'class') node.className = value;
  else if (name in node && name !== 'list' && name !== 'form') node[name] = value;
  else node.setAttribute(name, value);
}

/** A drawing that says nothing to a screen reader: the text beside it, or the button's label, does. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [key, value] of Object.entries({
    viewBox: '0 0 24 24',
    'aria-hidden': 'true',
    class: 'icon',
    'data-icon': name,
  })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', DRAWINGS[name]);
  svg.append(path);
  return svg;
}

/** A button with a drawing, whose label is its name and its hint. */
export function iconButton(name, label, onclick, properties = {}) {
  return el(
    'button',
    { type: 'button', class: 'icon-button', title: label, 'aria-label': label, onclick, ...properties },
    icon(name),
  );
}

const DRAWINGS = {
  menu: 'M4 7h16M4 12h16M4 17h10',
  plus: 'M12 5v14M5 12h14',
  send: 'M12 19V5M6 11l6-6 6 6',
  stop: 'M7.5 7.5h9v9h-9z',
  attach: 'M19 11l-7.5 7.5a4.2 4.2 0 0 1-6-6L13 5a2.8 2.8 0 0 1 4 4l-7.4 7.4a1.4 1.4 0 0 1-2-2L14 8',
  search: 'M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM20 20l-4.6-4.6',
  edit: 'M5 19l1-4L16 5l3 3L9 18zM14 7l3 3',
  trash: 'M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12M10.5 11v5M13.5 11v5',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  again: 'M19 12a7 7 0 1 1-2-5M19 4v4h-4',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 13l4 4L19 7',
  chart: 'M5 19V5M5 19h14M9 15v-4M13 15V8M17 15v-2',
  tool: 'M14 6a4 4 0 0 0-5 5l-5 5 3 3 5-5a4 4 0 0 0 5-5l-2.5 2.5-2-.5-.5-2z',
  thought: 'M12 4a6 6 0 0 0-3.5 10.9V17h7v-2.1A6 6 0 0 0 12 4zM9.5 20h5',
  handoff: 'M4 12h14M13 7l5 5-5 5',
  file: 'M7 4h7l4 4v12H7zM14 4v4h4',
  down: 'M12 5v14M6 13l6 6 6-6',
  keys: 'M4 7h16v10H4zM7 10h.5M11 10h.5M15 10h.5M8 14h8',
  warning: 'M12 5l8 14H4zM12 10v4M12 16.5v.5',
  agent: 'M6 9h12v9H6zM12 9V5M9 13h.5M14.5 13h.5',
  options: 'M4 8h9M17 8h3M4 16h3M11 16h9M15 6v4M9 14v4',
};
