/** A button that puts a text on the clipboard; without https browsers have none, and then there is no button. */

import { icon, iconButton } from './dom.js';

const SHOWN = 1500;

export function copyButton(label, text) {
  if (!navigator.clipboard) return null;
  const button = iconButton('copy', label, async () => {
    const isCopied = await navigator.clipboard.writeText(text()).then(
      () => true,
      () => false, // the browser may not let us
    );
    button.replaceChildren(icon(isCopied ? 'check' : 'close'));
    setTimeout(() => button.replaceChildren(icon('copy')), SHOWN);
  });
  return button;
}
