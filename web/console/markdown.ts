import { element } from './element.ts';

/** Renders what the dashboards' texts use of Markdown: headings, lists, paragraphs, bold. */
export function renderMarkdown(markdown: string): readonly Node[] {
  const nodes: Node[] = [];
  let list: HTMLElement | undefined;
  for (const line of markdown.split('\n')) {
    const item = /^- (.*)$/.exec(line)?.[1];
    const heading = /^#+ (.*)$/.exec(line)?.[1];
    if (item !== undefined) {
      list ??= element('ul');
      list.append(element('li', { children: inline(item) }));
      continue;
    }
    if (list !== undefined) nodes.push(list);
    list = undefined;
    if (heading !== undefined) nodes.push(element('h2', { children: inline(heading) }));
    else if (line.trim() !== '') nodes.push(element('p', { children: inline(line) }));
  }
  return list === undefined ? nodes : [...nodes, list];
}

function inline(text: string): readonly Node[] {
  return text
    .split(/(\*\*[^*]+\*\*)/)
    .filter((part) => part !== '')
    .map((part) =>
      part.startsWith('**')
        ? element('strong', { text: part.slice(2, -2) })
        : document.createTextNode(part),
    );
}
