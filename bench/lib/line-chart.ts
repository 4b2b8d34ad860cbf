/** A line of a chart, with the spread of each point where it is known. */
export interface Series {
  readonly name: string;
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    readonly low?: number;
    readonly high?: number;
  }[];
}

/** What a chart says. */
export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

const WIDTH = 640;
const HEIGHT = 300;
const EDGE = { left: 56, right: 16, top: 12, bottom: 44 };
const COLOURS = ['#1f6feb', '#bf5700', '#2da44e', '#8250df'];

/** A chart as SVG: x by its logarithm, y from zero. */
export function lineChart({ title, xLabel, yLabel, series }: Chart): string {
  const points = series.flatMap((one) => one.points);
  const xs = points.map(({ x }) => Math.log10(x));
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  const top = Math.max(...points.map(({ y, high = y }) => high)) * 1.05;
  const left = (x: number) =>
    EDGE.left + ((Math.log10(x) - least) / (most - least || 1)) * (WIDTH - EDGE.left - EDGE.right);
  const up = (y: number) => HEIGHT - EDGE.bottom - (y / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const ticks = [...new Set(points.map(({ x }) => x))].map(
    (x) => `<text x="${left(x)}" y="${HEIGHT - 26}" text-anchor="middle">${short(x)}</text>`,
  );
  const lines = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = top * share;
    return `<line x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${up(y)}" y2="${up(y)}" class="grid"/><text x="${EDGE.left - 6}" y="${up(y) + 4}" text-anchor="end">${y.toFixed(1)}</text>`;
  });
  const drawn = series.map((one, index) => drawSeries(one, COLOURS[index % 4] ?? '', { left, up }));
  const legend = series.map(
    ({ name }, index) => `<tspan fill="${COLOURS[index % 4]}">&#9632; ${escaped(name)}  </tspan>`,
  );
  return `<figure><figcaption>${escaped(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${lines.join('')}${ticks.join('')}${drawn.join('')}<text x="${EDGE.left}" y="${HEIGHT - 6}">${escaped(xLabel)}; ${escaped(yLabel)}.  ${legend.join('')}</text></svg></figure>`;
}

interface Scale {
  left(x: number): number;
  up(y: number): number;
}

function drawSeries({ points }: Series, colour: string, { left, up }: Scale): string {
  const path = points.map(({ x, y }) => `${left(x)},${up(y)}`).join(' ');
  const spreads = points.map(
    ({ x, y, low = y, high = y }) =>
      `<line x1="${left(x)}" x2="${left(x)}" y1="${up(low)}" y2="${up(high)}" stroke="${colour}"/><circle cx="${left(x)}" cy="${up(y)}" r="3" fill="${colour}"/>`,
  );
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${spreads.join('')}`;
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : String(value);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** A page that stands alone: no scripts, nothing loaded. */
export function reportPage(
  title: string,
  paragraphs: readonly string[],
  charts: readonly Chart[],
): string {
  const style =
    'body{font:15px/1.5 system-ui;margin:2rem auto;max-width:44rem;padding:0 1rem}figure{margin:2rem 0}figcaption{font-weight:600}svg{font-size:11px;width:100%;fill:currentColor}.grid{stroke:currentColor;opacity:.15}';
  const text = paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`).join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escaped(title)}</title><style>${style}</style></head>
<body><h1>${escaped(title)}</h1>
${text}
${charts.map(lineChart).join('\n')}
</body></html>
`;
}
