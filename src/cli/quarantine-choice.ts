import { type Command, Option } from 'commander';
import { systemClock } from '../adapters/aws/clock.ts';
import { REJECTION_REASONS, type RejectionReason } from '../core/rejection.ts';
import { type LiveDeployment, openLive } from '../local/live.ts';
import { ROOT } from '../local/paths.ts';
import { discoverPipelines } from '../project/discover.ts';
import type { CommandContext } from './context.ts';
import { timeOf } from './time.ts';

/** What the commands about refused events have in common. */
export interface QuarantineFlags {
  readonly pipeline: string;
  readonly env: string;
  readonly region?: string;
  readonly profile?: string;
  readonly from: number;
  /** The same, where it is given. */
  readonly since?: number;
  readonly to: number;
  readonly reason?: RejectionReason;
  readonly limit: number;
  readonly json: boolean;
}

const DAY_MS = 86_400_000;

/** Adds the options that say of which deployment, and which of its refused events. */
export function quarantineChoices(command: Command, { env }: CommandContext): Command {
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
    .option('--since <time>', 'the same as --from', timeOf(nowMs))
    .option('--to <time>', 'arrivals before', timeOf(nowMs), nowMs + DAY_MS)
    .addOption(
      new Option('--reason <reason>', 'only of this reason').choices(
        Object.keys(REJECTION_REASONS),
      ),
    )
    .option('--json', 'print JSON instead', false);
}

/** The deployment that the options are about, with its live generation. @throws CommandError */
export function openChosen(
  flags: QuarantineFlags,
  { env }: CommandContext,
): Promise<LiveDeployment> {
  return openLive({
    pipeline: flags.pipeline,
    environment: flags.env,
    region: flags.region,
    profile: flags.profile,
    endpoint: env.AWS_ENDPOINT_URL,
  });
}
