import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { VersionFacts } from '../core/shape.ts';
import { CommandError, EXIT } from './local-error.ts';

/** Ending of a compute stack's template, after the stack's name. */
const COMPUTE = '-compute.template.json';

/**
 * Makes sure that what is about to be deployed goes on with what a kept cloud runs: another version would refuse
 * every record.
 *
 * @param templates the folder of what was synthesised
 * @throws CommandError naming the pipeline whose version differs
 */
export async function checkKeptVersions(
  cloudFormation: CloudFormationClient,
  templates: string,
): Promise<void> {
  for (const file of globSync(`*${COMPUTE}`, { cwd: templates })) {
    const stack = path.basename(file, '.template.json');
    const template: { Outputs?: { PipelineVersion?: { Value: string } } } = JSON.parse(
      readFileSync(path.join(templates, file), 'utf8'),
    );
    const next = printIn(template.Outputs?.PipelineVersion?.Value);
    const kept = printIn(await deployedVersion(cloudFormation, stack));
    if (kept !== undefined && kept !== next) throw otherVersion(stack, kept, next);
  }
}

function printIn(json: string | undefined): string | undefined {
  if (json === undefined) return undefined;
  const { print }: VersionFacts = JSON.parse(json);
  return print;
}

/** Undefined where there is no such stack. */
async function deployedVersion(
  cloudFormation: CloudFormationClient,
  stack: string,
): Promise<string | undefined> {
  try {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stack }));
    const outputs = Stacks?.[0]?.Outputs ?? [];
    return outputs.find(({ OutputKey }) => OutputKey === 'PipelineVersion')?.OutputValue;
  } catch (error) {
    if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

function otherVersion(stack: string, kept: string, next: string | undefined): CommandError {
  const pipeline = stack.slice(0, stack.lastIndexOf('-', stack.lastIndexOf('-') - 1));
  return new CommandError('The kept cloud runs another version of the pipeline', {
    exitCode: EXIT.refused,
    detail: `got version ${next} of ${pipeline}, expected ${kept}: it was changed since that was deployed`,
    next: `npx millrace switch --pipeline ${pipeline} --yes   (or start without --keep, from nothing)`,
  });
}
