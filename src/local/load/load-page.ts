import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../paths.ts';
import { type LoadLimits, type LoadStep, tooMuch } from './knee.ts';
import type { LoadResult } from './load-run.ts';

/** A file of the chart library. */
function ofLibrary(name: string): string {
  return readFileSync(path.join(ROOT, 'node_modules/uplot/dist', name), 'utf8');
}

/** The report as one HTML document that needs nothing else. */
export function loadPage(result: LoadResult, limits: LoadLimits): string {
  const { pipeline, environment, knee } = result;
  const title = `Load on ${pipeline} (${environment})`;
  const steps = [...result.steps].sort((left, right) => left.rate - right.rate);
  const data = { steps, knee, p99Ms: limits.p99Ms };
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${ofLibrary('uPlot.min.css')}${STYLE}</style>
<main>
<h1>${title}</h1>
<p class="knee">${kneeText(result, limits)}</p>
<section><h2>Latency by rate</h2>
<p>From when an event was due until the stream had it, and until its result was stored. Open loop: what waits goes on ageing.</p><div id="rates"></div></section>
<section><h2>All events at the best rate</h2><p>How many of a hundred events were faster.</p><div id="shares"></div></section>
<table><thead><tr><th>rate/s<th>held s<th>due<th>taken<th>refused<th>stored<th>put p50<th>p99<th>result p50<th>p90<th>p99<th>p99.9<th>max<th>verdict</thead>
<tbody>${steps.map((step) => row(step, limits)).join('\n')}</tbody></table>
<p>Milliseconds, kept to three digits by HdrHistogram. ${NOTES[environment === 'local' ? 'local' : 'aws']}</p>
</main>
<script>${ofLibrary('uPlot.iife.min.js')}</script>
<script>const report=${JSON.stringify(data).replaceAll('<', '\\u003c')};${SCRIPT}</script>
</html>
`;
}

const NOTES = {
  local:
    'A local cloud ran on this machine: its emulator, not AWS, is what is at its end here. Compare runs on the same machine with each other.',
  aws: 'Clocks of this machine and of Lambda may differ by some milliseconds.',
} as const;

/** One sentence that says what was found. */
export function kneeText({ steps, knee }: LoadResult, limits: LoadLimits): string {
  const bad = steps.find((step) => tooMuch(step, limits) !== undefined);
  const why = bad === undefined ? '' : ` At ${number(bad.rate)}/s, ${tooMuch(bad, limits)}.`;
  if (knee === undefined) return `No rate held.${why}`;
  const end = bad === undefined ? ' More was not tried.' : why;
  return `${number(knee.rate)} events/s hold, with results stored within ${number(knee.result.p99)} ms (p99).${end}`;
}

function row(step: LoadStep, limits: LoadLimits): string {
  const { put, result } = step;
  const cells = [
    number(step.rate),
    number(step.seconds),
    number(step.offered),
    number(step.taken),
    number(step.refused),
    number(step.finished),
    ...[put.p50, put.p99, result.p50, result.p90, result.p99, result.p999, result.max].map(number),
    tooMuch(step, limits) ?? 'holds',
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}`).join('')}`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

const STYLE = `
:root{color-scheme:light dark;--one:light-dark(#1565c0,#90caf9);--two:light-dark(#2e7d32,#a5d6a7);--three:light-dark(#c62828,#ff8a80);--soft:light-dark(#0000001a,#ffffff24)}
body{font:15px/1.5 system-ui,sans-serif;margin:0}main{max-width:1000px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-bottom:0}.knee{font-size:1.15rem;font-weight:600}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px;display:block;overflow-x:auto}
th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid var(--soft);white-space:nowrap}td:last-child,th:last-child{text-align:left}
.u-legend{font-size:13px}
`;

const SCRIPT = `
const css=(name)=>getComputedStyle(document.documentElement).getPropertyValue(name);
const probe=document.createElement('i');document.body.append(probe);
const color=(name)=>{probe.style.color='var('+name+')';return getComputedStyle(probe).color};
const draw=()=>{
  for(const id of ['rates','shares'])document.getElementById(id).replaceChildren();
  const ink=getComputedStyle(document.body).color,soft=color('--soft');
  const axis=(label,more)=>({label,stroke:ink,grid:{stroke:soft},ticks:{stroke:soft},...more});
  const width=Math.min(960,document.querySelector('main').clientWidth-32);
  const ms=(self,values)=>values.map((v)=>v===null?'':v.toLocaleString('en-US'));
  const line=(label,name,dash)=>({label,stroke:color(name),width:2,points:{show:true,size:7},...(dash?{dash}:{})});
  const over=(pick)=>report.steps.map((step)=>Math.max(1,pick(step)));
  new uPlot({width,height:320,padding:[8,40,0,0],scales:{x:{time:false,distr:3},y:{distr:3}},
    axes:[axis('events/s',{values:ms}),axis('ms',{values:ms,size:70})],
    series:[{label:'events/s'},line('result p50','--one'),line('result p99','--one',[6,4]),line('put p50','--two'),line('put p99','--two',[6,4]),{label:'limit',stroke:color('--three'),width:1,points:{show:false}}]},
    [report.steps.map((step)=>step.rate),over((s)=>s.result.p50),over((s)=>s.result.p99),over((s)=>s.put.p50),over((s)=>s.put.p99),report.steps.map(()=>report.p99Ms)],
    document.getElementById('rates'));
  const best=report.knee??report.steps[0];
  if(best===undefined)return;
  // As HdrHistogram's own plots: each nine takes the same room.
  const points=best.result.points.filter(([share])=>share<100),put=new Map(best.put.points);
  const label=(v)=>(100-100/v).toFixed(v<=10?0:v<=1000?1:3)+' %';
  new uPlot({width,height:280,padding:[8,40,0,0],scales:{x:{time:false,distr:3},y:{distr:3}},
    axes:[axis('share of events',{values:(self,values)=>values.map((v)=>v===null?'':label(v))}),axis('ms',{values:ms,size:70})],
    series:[{label:'share',value:(self,v)=>v==null?'':label(v)},line('result','--one'),line('put','--two')]},
    [points.map(([share])=>100/(100-share)),points.map(([,v])=>Math.max(1,v)),points.map(([share])=>Math.max(1,put.get(share)??1))],
    document.getElementById('shares'));
};
draw();matchMedia('(prefers-color-scheme: dark)').addEventListener('change',draw);addEventListener('resize',draw);
`;
