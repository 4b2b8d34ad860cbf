import { type Command, Option } from 'commander';
import { systemClock } from '../adapters/aws/clock.ts';
import { REJECTION_REASONS, type RejectionReason } from '../core/rejection.ts';
import { type LiveDeployment, openLive } from '../local/live.ts';
import type { CommandContext } from './context.ts';
import { chosenDeployment, type DeploymentFlags, deploymentOptions } from './deployment-choice.ts';
import { timeOf } from './time.ts';

/** What the commands about refused events have in common. */
export interface QuarantineFlags extends DeploymentFlags {
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
export function quarantineChoices(command: Command, context: CommandContext): Command {
  const nowMs = systemClock.now();
  return deploymentOptions(command, context)
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
  context: CommandContext,
): Promise<LiveDeployment> {
  return openLive(chosenDeployment(flags, context));
}
