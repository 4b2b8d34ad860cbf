import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { systemClock } from '../adapters/aws/clock.ts';
import { type Cluster, Clusters, documentName } from '../core/cluster.ts';
import { compile } from '../core/compile.ts';
import { DefinitionError } from '../core/errors.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { Program } from '../core/program.ts';
import type { QuarantineDocument } from '../core/quarantine.ts';
import { REJECTION_REASONS, type RejectionReason } from '../core/rejection.ts';
import { tryAgain } from '../core/try-again.ts';
import { openDeployment } from '../local/deployed.ts';
import { CommandError, EXIT } from '../local/local-error.ts';
import { ROOT } from '../local/paths.ts';
import { readQuarantine } from '../local/quarantine.ts';
import { discoverPipelines, loadPipeline } from '../project/discover.ts';
import { integer } from './arguments.ts';
import type { CommandContext } from './context.ts';
import { timeOf } from './time.ts';

interface QuarantineFlags {
  readonly pipeline: string;
  readonly env: string;
  readonly region?: string;
  readonly profile?: string;
  readonly from: number;
  readonly to: number;
  readonly reason?: RejectionReason;
  readonly limit: number;
  readonly json: boolean;
}

const DAY_MS = 86_400_000;

/** `millrace quarantine`: what was refused, why, and whether it would pass now. */
export function addQuarantine(program: Command, context: CommandContext): void {
  const quarantine = program
    .command('quarantine')
    .description('look at the events that were refused, and try them again');
  choices(quarantine.command('list').description('refused events, one a line'), context).action(
    async (flags: QuarantineFlags) => {
      for await (const document of await documents(flags, context)) {
        context.print(flags.json ? JSON.stringify(withoutBytes(document)) : line(document));
      }
    },
  );
  choices(quarantine.command('cluster').description('counts by cause'), context).action(
    async (flags: QuarantineFlags) => {
      const clusters = new Clusters();
      for await (const document of await documents(flags, context)) clusters.add(document);
      context.print(flags.json ? JSON.stringify(clusters.sorted) : clusterTable(clusters.sorted));
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

function choices(command: Command, { env }: CommandContext): Command {
  const names = discoverPipelines(ROOT);
  const nowMs = systemClock.now();
  return command
    .addOption(
      new Option('--pipeline <name>', 'folder of pipelines/').choices(names).default(names[0]),
    )
    .option('--env <name>', 'local, or an environment on AWS such as dev or prod', 'local')
    .option('--region <name>', 'of AWS', env.AWS_REGION)
    .option('--profile <name>', 'of your AWS credentials', env.AWS_PROFILE)
    .option('--from <time>', 'arrivals from, ISO 8601 or -2h', timeOf(nowMs), nowMs - DAY_MS)
    .option('--to <time>', 'arrivals before', timeOf(nowMs), nowMs + DAY_MS)
    .addOption(
      new Option('--reason <reason>', 'only of this reason').choices(
        Object.keys(REJECTION_REASONS),
      ),
    )
    .option('--limit <count>', 'at most so many', integer(1, 1_000_000), 10_000)
    .option('--json', 'print JSON instead', false);
}

async function documents(
  flags: QuarantineFlags,
  { env }: CommandContext,
): Promise<AsyncGenerator<QuarantineDocument>> {
  const folder = await loadPipeline(ROOT, flags.pipeline);
  const { settings } = compile(folder.pipeline, folder.references);
  const open = await openDeployment({
    pipeline: flags.pipeline,
    environment: flags.env,
    region: flags.region,
    profile: flags.profile,
    endpoint: env.AWS_ENDPOINT_URL,
  });
  return readQuarantine(open, {
    pipeline: flags.pipeline,
    fromMs: flags.from,
    toMs: flags.to,
    reason: flags.reason,
    limit: flags.limit,
    streamMs: settings.retention.streamMs,
  });
}

function line(document: QuarantineDocument): string {
  const [issue] = document.issues;
  const where = issue?.path === '' || issue === undefined ? '' : ` at ${issue.path}`;
  return `${document.arrival}  ${document.reason.padEnd(17)} ${documentName(document)}  ${document.id ?? ''}${where}`;
}

function clusterTable(clusters: readonly Cluster[]): string {
  if (clusters.length === 0) return 'nothing was refused in that time';
  return clusters
    .map(({ count, reason, path: at, source, first, last, expected, samples }) =>
      [
        `${pc.bold(count.toLocaleString('en-US').padStart(9))}  ${reason}${at === '' ? '' : ` at ${at}`}${source === '' ? '' : `, from ${source}`}`,
        `           ${first} to ${last}`,
        `           ${expected}`,
        `           such as ${samples.join(' ')}`,
      ].join('\n'),
    )
    .join('\n');
}

function withoutBytes({ bytes: _bytes, ...rest }: QuarantineDocument): object {
  return rest;
}

async function show(
  name: string,
  flags: QuarantineFlags & { readonly bytes: boolean },
  context: CommandContext,
): Promise<void> {
  for await (const document of await documents(flags, context)) {
    if (documentName(document) !== name) continue;
    context.print(JSON.stringify(withoutBytes(document), undefined, 2));
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
  const program = await programOf(flags);
  const still = new Clusters();
  let passes = 0;
  for await (const document of await documents(flags, context)) {
    const verdict = tryAgain(program, document);
    if (verdict.type === 'passes') passes += 1;
    else still.add({ ...document, ...verdict.rejection });
  }
  const clusters = still.sorted;
  const refused = clusters.reduce((sum, { count }) => sum + count, 0);
  if (flags.json) context.print(JSON.stringify({ passes, refused, clusters }));
  else {
    context.print(
      `${passes.toLocaleString('en-US')} would pass now, ${refused.toLocaleString('en-US')} would be refused`,
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
