import { type LambdaClient, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import type { Clock } from '../../ports/clock.ts';
import type { MappingSwitch } from '../../ports/mapping-switch.ts';
import { sendOnce } from './send.ts';

/** An event source mapping of Lambda, by its id. */
export function makeAwsMappingSwitch({
  client,
  mappingId,
  clock,
}: {
  readonly client: LambdaClient;
  readonly mappingId: string;
  readonly clock: Clock;
}): MappingSwitch {
  return {
    enable: async ({ deadlineMs }) => {
      const command = new UpdateEventSourceMappingCommand({ UUID: mappingId, Enabled: true });
      await sendOnce('UpdateEventSourceMapping', { clock, deadlineMs }, (options) =>
        client.send(command, options),
      );
    },
  };
}
