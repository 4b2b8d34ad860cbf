import { Stack } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import { permissions } from '../security/permissions.ts';
import {
  type ConsumerProps,
  consumePermissions,
  consumeVariables,
  generationOf,
  outputsOf,
  permitOutputs,
} from './consumer.ts';
import { makePipelineFunction } from './pipeline-function.ts';

/** Planning holds up to 96 MB of events in memory, and may read many objects; folding answers each 15 s. */
export const REDRIVER = { memoryMb: 2048, timeoutSeconds: 900 } as const;

/** The function that brings refused events back. Nothing calls it but `millrace redrive`. */
export class Redriver extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, props: ConsumerProps) {
    super(scope, id);
    const { folder, environment, data, fed } = props;
    const { stream, quarantineBucket, dataKey } = data;
    const { name } = generationOf(props);
    this.function = makePipelineFunction(this, 'Function', {
      entry: 'redrive',
      folder,
      environment,
      key: dataKey,
      ...REDRIVER,
      variables: {
        ...consumeVariables(props),
        outputs: Stack.of(this).toJsonString(outputsOf(fed)),
      },
    });
    const statements = [
      permissions.identifyStream(stream),
      ...consumePermissions(props),
      permissions.redriveObjects(quarantineBucket, folder.name, name),
      permissions.quarantineNames(quarantineBucket),
      permissions.useKey(dataKey),
    ];
    for (const statement of statements) this.function.addToRolePolicy(statement);
    permitOutputs(this.function, fed);
  }
}
