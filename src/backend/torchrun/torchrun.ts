/** Starting a program once for each GPU of a node, by PyTorch's own launcher. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { LaunchError, options } from "../launch.ts"
import { AnyMap, type ValueMap } from "../Value.ts"

/** The part of a backend's section that asks for torchrun. */
export const torchrunFields = {
  use_torchrun: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  /** Options of torchrun by name: `true` gives a bare flag, `false` and null nothing. */
  torchrun_args: Schema.optionalWith(AnyMap, { default: () => ({}) })
}

/** What {@link torchrunFields} decode to. */
export interface Torchrun {
  readonly use_torchrun: boolean
  readonly torchrun_args: ValueMap
}

/** The words that stand before the program: none unless torchrun is asked for. */
export const torchrun = (
  { torchrun_args: args, use_torchrun: isUsed }: Torchrun
): Either.Either<ReadonlyArray<string>, LaunchError> =>
  isUsed
    ? Either.mapBoth(options(args), {
      onLeft: ({ at, message }) => new LaunchError({ at: `backend.torchrun_args.${at}`, message }),
      onRight: (words) => ["python", "-u", "-m", "torch.distributed.run", ...words]
    })
    : Either.right([])
