import type { PageData } from '../../src/local/console/page-data.ts';
import { element, find } from './element.ts';
import { makeWidget, type ShownWidget } from './widgets.ts';

/** Between two requests, milliseconds. */
const POLL_MS = 1_000;

let shown: { readonly name: string; readonly widgets: readonly ShownWidget[] } | undefined;

/** Asks for the dashboard of the address, shows it, and comes back. */
async function show(): Promise<void> {
  const wanted = decodeURIComponent(location.hash.slice(1));
  try {
    const answer = await fetch(`/data.json?dashboard=${encodeURIComponent(wanted)}`);
    const data: PageData = await answer.json();
    showData(data);
    state(data.running ? 'running' : 'ended', data);
  } catch {
    state('gone');
  }
}

function showData(data: PageData): void {
  if (shown?.name !== data.name) {
    const rows = [...new Set(data.widgets.map(({ y }) => y))].sort((left, right) => left - right);
    const widgets = data.widgets.map((widget) => makeWidget(widget, rows.indexOf(widget.y) + 1));
    find('widgets').replaceChildren(...widgets.map(({ element: card }) => card));
    shown = { name: data.name, widgets };
    showDashboards(data);
  }
  for (const [index, widget] of data.widgets.entries()) {
    shown.widgets[index]?.update(widget, data);
  }
}

function showDashboards({ dashboards, name }: PageData): void {
  const [overview = ''] = dashboards;
  document.title = `${name}: local run`;
  find('name').textContent = name;
  const links = dashboards.map((one) => {
    const text = one === overview ? 'overview' : one.slice(overview.length + 1);
    const link = element('a', { text, attributes: { href: `#${one}` } });
    if (one === name) link.setAttribute('aria-current', 'page');
    return link;
  });
  find('dashboards').replaceChildren(...links);
}

const WORDS = {
  running: 'running',
  ended: 'the run is over; its figures stand still',
  gone: 'the run that served this page is gone; start it again with npm start -- --keep',
} as const;

function state(now: keyof typeof WORDS, data?: PageData): void {
  const text = find('state');
  // A status is read aloud when it changes, and only then.
  if (text.textContent !== WORDS[now]) text.textContent = WORDS[now];
  text.className = now;
  if (data === undefined) return;
  const seconds = Number(data.alarmMinuteSeconds.toFixed(1));
  find('notes').textContent =
    `One point each ${data.periodSeconds} s. For the alarms a minute of CloudWatch passes in ${seconds} s here: they see the same in less time. ` +
    'These are the dashboards of the deployed stacks, with what this run measured.';
}

addEventListener('hashchange', () => void show());
addEventListener('resize', () => void show());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => void show());
setInterval(() => void show(), POLL_MS);
void show();
