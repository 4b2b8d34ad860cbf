import { makeAwsBucket } from '../adapters/aws/bucket.ts';
import { systemClock } from '../adapters/aws/clock.ts';
import type { LocalClients } from './clients.ts';
import { MappingDriver, type MappingDriverOptions } from './mapping-driver.ts';

/** The deployment whose function is driven. */
export interface DrivenDeployment {
  readonly clients: LocalClients;
  /** What is given up goes into its quarantine bucket, as the stacks say. */
  readonly deployment: { readonly quarantineBucket: string };
}

/** Drives a mapping of a deployment in place of the local cloud's own, until the signal. */
export async function startDriver(
  { clients, deployment }: DrivenDeployment,
  options: Pick<MappingDriverOptions, 'mapping' | 'checkpoints' | 'signal' | 'observer'>,
): Promise<MappingDriver> {
  const driver = new MappingDriver({
    ...options,
    kinesis: clients.kinesis,
    lambda: clients.lambda,
    failures: makeAwsBucket({
      client: clients.s3,
      bucketName: deployment.quarantineBucket,
      clock: systemClock,
    }),
  });
  await driver.start();
  return driver;
}
