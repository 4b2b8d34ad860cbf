import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { systemClock } from '../adapters/aws/clock.ts';
import { type Cluster, Clusters, documentName } from '../core/cluster.ts';
import { compile } from '../core/compile.ts';
import { DefinitionError } from '../core/errors.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { Program } from '../core/program.ts';
import type { RedriveJob } from '../core/redrive.ts';
import { redriveProgram } from '../core/redrive-program.ts';
import { tryAgain } from '../core/try-again.ts';
import type { TracedDocument } from '../handlers/redriven.ts';
import { CommandError, EXIT } from '../local/local-error.ts';
import { ROOT } from '../local/paths.ts';
import { readQuarantine } from '../local/quarantine.ts';
import { loadPipeline } from '../project/discover.ts';
import { integer } from './arguments.ts';
import { clusterTable, counted } from './cluster-table.ts';
import type { CommandContext } from './context.ts';
import { openChosen, type QuarantineFlags, quarantineChoices } from './quarantine-choice.ts';

/** `millrace quarantine`: what was refused, why, and whether it would pass now. */
export function addQuarantine(program: Command, context: CommandContext): void {
  const quarantine = program
    .command('quarantine')
    .description('look at the events that were refused, and try them again');
  choices(quarantine.command('list').description('refused events, one a line'), context).action(
    async (flags: QuarantineFlags) => {
      for await (const traced of await documents(flags, context)) {
        context.print(flags.json ? JSON.stringify(withoutBytes(traced)) : line(traced));
      }
    },
  );
  choices(quarantine.command('cluster').description('counts by cause'), context).action(
    async (flags: QuarantineFlags) => {
      const clusters = new Clusters();
      for await (const { document } of await documents(flags, context)) clusters.add(document);
      context.print(flags.json ? JSON.stringify(clusters.sorted) : clusterText(clusters.sorted));
    },
  );
  choices(quarantine.command('show').description('one refused event, as it was kept'), context)
    .argument('<name>', 'WRITER/POSITION, as list and cluster print it')
    .option('--bytes', 'print what was sent too: it may hold personal data', false)
    .action(async (name: string, flags: QuarantineFlags & { bytes: boolean }) => {
      await show(name, flags, context);
    });
  choices(
    quarantine.command('try').description('what the present, or a changed, pipeline makes of them'),
    context,
  )
    .option('--with <file>', 'a pipeline file; default: that of the folder')
    .action(async (flags: QuarantineFlags & { with?: string }) => {
      await tryAll(flags, context);
    });
}

function choices(command: Command, context: CommandContext): Command {
  return quarantineChoices(command, context).option(
    '--limit <count>',
    'at most so many',
    integer(1, 1_000_000),
    10_000,
  );
}

async function documents(
  flags: QuarantineFlags,
  context: CommandContext,
): Promise<AsyncGenerator<TracedDocument>> {
  const folder = await loadPipeline(ROOT, flags.pipeline);
  const { settings } = compile(folder.pipeline, folder.references);
  const open = await openChosen(flags, context);
  return readQuarantine(open, {
    pipeline: open.quarantineFolder,
    fromMs: flags.since ?? flags.from,
    toMs: flags.to,
    reason: flags.reason,
    limit: flags.limit,
    streamMs: settings.retention.streamMs,
  });
}

function line({ document, job }: TracedDocument): string {
  const [issue] = document.issues;
  const where = issue?.path === '' || issue === undefined ? '' : ` at ${issue.path}`;
  return `${document.arrival}  ${document.reason.padEnd(17)} ${documentName(document)}  ${document.id ?? ''}${where}${job === undefined ? '' : `  ${broughtBack(job)}`}`;
}

function clusterText(clusters: readonly Cluster[]): string {
  return clusters.length === 0 ? 'nothing was refused in that time' : clusterTable(clusters);
}

/** Who brought it back, and when. */
function broughtBack({ number, by, createdMs, state }: RedriveJob): string {
  const isDone = state === 'done' ? 'brought back' : 'being brought back';
  return `${isDone} by job ${number} of ${new Date(createdMs).toISOString()}, asked for by ${by}`;
}

function withoutBytes({ document, job }: TracedDocument): object {
  const { bytes: _bytes, ...rest } = document;
  if (job === undefined) return rest;
  const { number, by, createdMs, state } = job;
  const asked = new Date(createdMs).toISOString();
  return { ...rest, redriven: { job: number, by, asked, state } };
}

async function show(
  name: string,
  flags: QuarantineFlags & { readonly bytes: boolean },
  context: CommandContext,
): Promise<void> {
  for await (const traced of await documents(flags, context)) {
    const { document } = traced;
    if (documentName(document) !== name) continue;
    context.print(JSON.stringify(withoutBytes(traced), undefined, 2));
    if (flags.bytes) context.print(Buffer.from(document.bytes, 'base64').toString());
    return;
  }
  throw new CommandError('No such refused event', {
    exitCode: EXIT.no,
    detail: `got '${name}', expected a name that list prints, of the time from ${new Date(flags.from).toISOString()}`,
    next: 'npx millrace quarantine list --from -7d',
  });
}

/** Exit code 1 where some would still be refused. */
async function tryAll(
  flags: QuarantineFlags & { readonly with?: string },
  context: CommandContext,
): Promise<void> {
  // As a redrive of now decides: nothing is late for a window that is still kept.
  const program = redriveProgram(await programOf(flags), systemClock.now());
  const still = new Clusters();
  let passes = 0;
  let redriven = 0;
  for await (const { document, job } of await documents(flags, context)) {
    if (job !== undefined) {
      redriven += 1;
      continue;
    }
    const verdict = tryAgain(program, document);
    if (verdict.type === 'passes') passes += 1;
    else still.add({ ...document, ...verdict.rejection });
  }
  const clusters = still.sorted;
  const refused = clusters.reduce((sum, { count }) => sum + count, 0);
  if (flags.json) context.print(JSON.stringify({ passes, refused, redriven, clusters }));
  else {
    context.print(
      `${counted(passes)} would pass now, ${counted(refused)} would be refused${redriven === 0 ? '' : `, ${counted(redriven)} were brought back`}`,
    );
    if (refused > 0) context.print(clusterTable(clusters));
  }
  context.exitCode = refused === 0 ? EXIT.done : EXIT.no;
}

async function programOf(flags: QuarantineFlags & { readonly with?: string }): Promise<Program> {
  const folder = await loadPipeline(ROOT, flags.pipeline);
  if (flags.with === undefined) return compile(folder.pipeline, folder.references);
  const file = path.resolve(flags.with);
  const module: { readonly default?: AnyPipeline } = await import(pathToFileURL(file).href);
  if (module.default?.type !== 'pipeline') {
    throw new DefinitionError(
      '--with',
      flags.with,
      'a file with export default definePipeline({ ... })',
    );
  }
  return compile(module.default, folder.references);
}
