import type { SimResult } from './schedule.ts';
import type { TraceEntry } from './trace.ts';

/** Entries that a text shows at most. */
const LINES_MAX = 120;

/** The schedule as lines: when, who, what. */
export function timelineText({ trace, startMs }: Timed): string {
  const left = trace.length - LINES_MAX;
  const lines = trace
    .slice(-LINES_MAX)
    .map(({ nowMs, actor, text }) => `${seconds(nowMs - startMs)}  ${actor.padEnd(8)} ${text}`);
  return [...(left > 0 ? [`(${left} earlier entries left out)`] : []), ...lines].join('\n');
}

type Timed = Pick<SimResult, 'trace' | 'startMs'>;

const ROW = 26;
const LEFT = 90;
const WIDTH = 1100;

/** Colours by what happened; the first that fits. */
const KINDS: readonly (readonly [RegExp, string, string])[] = [
  [/died/, '#c62828', 'death of a container'],
  [/"failed"|not-invoked/, '#ef6c00', 'invocation that failed'],
  [/itemIdentifier/, '#f9a825', 'invocation that reported a failure'],
  [/split|merge/, '#6a1b9a', 'split or merge'],
  [/^invoke|^outcome/, '#2e7d32', 'invocation'],
  [/^put/, '#1565c0', 'record put'],
  [/put/, '#455a64', 'write'],
  [/./, '#b0bec5', 'read'],
];

/** The schedule as a picture: a lane for each shard, the mapping and each container. One HTML document. */
export function timelineHtml(title: string, result: Timed & Pick<SimResult, 'violations'>): string {
  const { trace, startMs, violations } = result;
  const lanes = [...new Set(trace.map(laneOf))].sort(byName);
  const endMs = trace.at(-1)?.nowMs ?? startMs;
  const scale = (WIDTH - LEFT - 20) / Math.max(1, endMs - startMs);
  const height = (lanes.length + 1) * ROW;
  const dots = trace.map((entry) => {
    const x = LEFT + (entry.nowMs - startMs) * scale;
    const y = lanes.indexOf(laneOf(entry)) * ROW + ROW / 2;
    const [, colour = ''] = KINDS.find(([pattern]) => pattern.test(entry.text)) ?? [];
    const label = `${seconds(entry.nowMs - startMs)} ${entry.actor} ${entry.text}`;
    return `<circle cx="${x.toFixed(1)}" cy="${y}" r="4" fill="${colour}"><title>${escaped(label)}</title></circle>`;
  });
  const rows = lanes.map((lane, index) => {
    const y = index * ROW + ROW / 2;
    return `<text x="0" y="${y + 4}">${escaped(lane)}</text><line x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/>`;
  });
  const legend = KINDS.map(
    ([, colour, name]) => `<li><b style="background:${colour}"></b>${name}</li>`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>
<style>
:root{color-scheme:light dark;font:14px system-ui,sans-serif}body{margin:2rem;max-width:${WIDTH + 40}px}
text{fill:currentColor;font-size:12px}line{stroke:#8884}ul{display:flex;flex-wrap:wrap;gap:1rem;list-style:none;padding:0}
b{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.4em}pre{overflow:auto;background:#8881;padding:1rem}
</style>
<h1>${escaped(title)}</h1>
<p>${violations.length === 0 ? 'Every promise held.' : `${violations.length} promises were broken:`}</p>
${violations.length === 0 ? '' : `<pre>${escaped(violations.join('\n'))}</pre>`}
<ul>${legend.join('')}</ul>
<svg viewBox="0 0 ${WIDTH} ${height}" width="100%" role="img" aria-label="timeline">${rows.join('')}${dots.join('')}
<text x="${LEFT}" y="${height - 6}">0 s</text><text x="${WIDTH}" y="${height - 6}" text-anchor="end">${seconds(endMs - startMs)}</text></svg>
<h2>What happened</h2><pre>${escaped(timelineText(result))}</pre></html>
`;
}

/** Records and invocations stand in the lane of their shard. */
function laneOf({ actor, text }: TraceEntry): string {
  const shard = /^(?:put|split|merge) (\d+)|shardId-0*(\d+)/.exec(text);
  const number = shard?.[1] ?? shard?.[2];
  return number === undefined ? actor : `shard ${number}`;
}

function byName(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3).padStart(9)} s`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
