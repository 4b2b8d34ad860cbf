import type { PageAlarm, PageData, PageWidget } from '../../src/local/console/page-data.ts';
import { makeChart } from './chart.ts';
import { element } from './element.ts';
import { formatValue, lastOf, timeText, withoutUnit } from './format.ts';
import { renderMarkdown } from './markdown.ts';

/** A widget on the page that takes new data. */
export interface ShownWidget {
  readonly element: HTMLElement;
  update(widget: PageWidget, data: Pick<PageData, 'times' | 'running'>): void;
}

/**
 * Makes the element of a widget. Its columns are those of the dashboard's grid; rows are as high as what is
 * in them.
 *
 * @param row 1 or more
 */
export function makeWidget(widget: PageWidget, row: number): ShownWidget {
  const card = element('section', { class: `widget ${widget.type}-widget` });
  card.style.setProperty('--columns', `${widget.x + 1} / span ${widget.width}`);
  card.style.setProperty('--row', String(row));
  const chart = widget.type === 'graph' && widget.view === 'timeSeries' ? makeChart() : undefined;
  return {
    element: card,
    update: (next, data) => {
      if (next.type === 'text') card.replaceChildren(...renderMarkdown(next.markdown));
      else if (next.type === 'alarms') card.replaceChildren(...alarmsOf(next.alarms));
      else if (chart === undefined) card.replaceChildren(...figuresOf(next, data.running));
      else {
        if (!card.contains(chart.element)) card.append(headingOf(next), chart.element);
        chart.update(next, data);
      }
    },
  };
}

type Graph = Extract<PageWidget, { type: 'graph' }>;

function headingOf({ title, unit }: Graph): HTMLElement {
  const heading = element('h2', { text: title });
  if (unit !== '') heading.append(element('small', { text: unit }));
  return heading;
}

function figuresOf(graph: Graph, running: boolean): readonly Node[] {
  const figures = graph.lines.map(({ label, points }) => {
    return element('div', {
      children: [
        element('dt', { text: withoutUnit(label) }),
        element('dd', { text: formatValue(lastOf(points, running), label) }),
      ],
    });
  });
  return [headingOf(graph), element('dl', { class: 'figures', children: figures })];
}

/** Those that are on first, with what they say. */
function alarmsOf(all: readonly PageAlarm[]): readonly Node[] {
  const alarms = all.map((alarm) => ({ ...alarm, name: alarm.name.replace(/^.*-/, '') }));
  const on = alarms.filter(({ state }) => state === 'ALARM');
  const others = alarms.filter(({ state }) => state !== 'ALARM');
  const title = on.length === 0 ? 'No alarm is on' : `Alarms that are on: ${on.length}`;
  return [
    element('h2', { text: title }),
    element('ul', { class: 'alarms', children: [...on.map(onItem), ...others.map(quietItem)] }),
  ];
}

function onItem({ name, sinceMs, description, reason }: PageAlarm): HTMLElement {
  const since = sinceMs === null ? '' : ` since ${timeText(sinceMs / 1_000)}`;
  return element('li', {
    class: 'on',
    children: [
      element('strong', { text: name }),
      document.createTextNode(since),
      element('p', { text: description.split('\n').slice(0, 3).join('\n') }),
      element('p', { class: 'reason', text: reason }),
    ],
  });
}

function quietItem({ name, state }: PageAlarm): HTMLElement {
  const isOk = state === 'OK';
  return element('li', {
    class: isOk ? 'ok' : 'insufficient',
    text: name,
    attributes: { title: isOk ? 'in order' : 'no data yet' },
  });
}
