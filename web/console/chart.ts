import uPlot from 'uplot';
import type { PageData, PageWidget } from '../../src/local/console/page-data.ts';
import { element } from './element.ts';
import { formatValue, lastOf, timeText, withoutUnit } from './format.ts';

type Graph = Extract<PageWidget, { type: 'graph' }>;

/** Colours that there are for lines. */
const COLOURS = 5;

/** Height of a graph's plot, pixels. */
const HEIGHT = 190;

/** A graph on the page that takes new data. */
export interface Chart {
  readonly element: HTMLElement;
  update(graph: Graph, data: Pick<PageData, 'times' | 'running'>): void;
}

/** Makes a graph: lines, or areas on each other, and the thresholds of alarms across. */
export function makeChart(): Chart {
  const holder = element('div', { class: 'plot' });
  const legend = element('ul', { class: 'legend' });
  let plot: uPlot | undefined;
  let shape = '';
  const update: Chart['update'] = (graph, { times, running }) => {
    legend.replaceChildren(...legendOf(graph, running));
    holder.setAttribute('role', 'img');
    holder.setAttribute('aria-label', summary(graph, running));
    const data = dataOf(graph, times);
    const width = Math.max(120, holder.clientWidth);
    const next = JSON.stringify([graph.lines.length, graph.thresholds, graph.unit, scheme()]);
    if (plot === undefined || next !== shape) {
      plot?.destroy();
      plot = new uPlot(optionsOf(graph, width), data, holder);
      shape = next;
      return;
    }
    if (plot.width !== width) plot.setSize({ width, height: HEIGHT });
    plot.setData(data);
  };
  return { element: element('div', { children: [holder, legend] }), update };
}

function scheme(): boolean {
  return matchMedia('(prefers-color-scheme: dark)').matches;
}

/** A colour of the style sheet: the plot is drawn, not styled. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The last value of each line, in words. */
function summary({ title, lines, unit }: Graph, running: boolean): string {
  const values = lines.map(
    ({ label, points }) => `${label} ${formatValue(lastOf(points, running), unit)}`,
  );
  return `${title}: ${values.join(', ')}`;
}

function legendOf({ lines, unit, thresholds }: Graph, running: boolean): readonly Node[] {
  const items = lines.map(({ label, points }, index) =>
    element('li', {
      class: `line-${(index % COLOURS) + 1}`,
      children: [
        element('i'),
        document.createTextNode(`${withoutUnit(label)} `),
        element('b', { text: formatValue(lastOf(points, running), unit) }),
      ],
    }),
  );
  const limits = thresholds.map(({ label, value }) =>
    element('li', {
      class: 'threshold',
      children: [
        element('i'),
        document.createTextNode(`alarm ${label} `),
        element('b', { text: formatValue(value, unit) }),
      ],
    }),
  );
  return [...items, ...limits];
}

/** Times first, then a row for each line; stacked lines stand on those before them. */
function dataOf({ lines, stacked }: Graph, times: readonly number[]): uPlot.AlignedData {
  const rows = lines.map(({ points }) => [...points]);
  if (!stacked) return [[...times], ...rows];
  const sums = times.map(() => 0);
  const stackedRows = rows.map((row) =>
    row.map((point, index) => {
      sums[index] = (sums[index] ?? 0) + (point ?? 0);
      return sums[index] ?? 0;
    }),
  );
  return [[...times], ...stackedRows];
}

function optionsOf(graph: Graph, width: number): uPlot.Options {
  const { lines, thresholds, unit, stacked } = graph;
  const axis = {
    stroke: colour('quiet'),
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false },
    scales: { y: { range: (_plot, _low, high) => [0, topOf(high, thresholds)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 80,
        values: (_plot, ticks) => ticks.map(timeText),
      },
      {
        ...axis,
        size: 64,
        values: (_plot, ticks) => ticks.map((tick) => formatValue(tick, unit)),
      },
    ],
    series: [
      {},
      ...lines.map(({ label }, index) => ({
        label,
        stroke: colour(`line-${(index % COLOURS) + 1}`),
        width: 2,
        spanGaps: true,
        points: { show: false },
        ...(stacked ? { fill: `${colour(`line-${(index % COLOURS) + 1}`)}40` } : {}),
      })),
    ],
    // A stacked line's area ends at the line below it.
    bands: stacked ? lines.slice(1).map((_, index) => ({ series: [index + 2, index + 1] })) : [],
    hooks: { draw: [(plot) => drawThresholds(plot, graph)] },
  };
}

/** All lines and thresholds fit, with some air. */
function topOf(high: number | null, thresholds: Graph['thresholds']): number {
  const top = Math.max(high ?? 0, ...thresholds.map(({ value }) => value));
  return top <= 0 ? 1 : top * 1.1;
}

function drawThresholds(plot: uPlot, { thresholds }: Graph): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour('bad');
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const { value } of thresholds) {
    const y = Math.round(plot.valToPos(value, 'y', true));
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}
