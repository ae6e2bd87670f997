// The arrangement of a study that is read: hung by the protocol that fits best until the reader arranges it.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { priorsQuery, studyQuery } from "../../api/queries";
import type { Study } from "../../api/types";
import { usePreferences } from "../../ui/preferences";
import { alone, type Case, comparable, fitting, hang, kindOf } from "../hanging/hang";
import { PROTOCOLS, type Protocol } from "../hanging/protocol";
import type { StackRoomProps } from "../StackRoom";
import { type Arrangement, arrange, beside, follow, hungAs, UNARRANGED } from "./arrangement";
import type { Layout } from "./panes";

/** Narrower windows show one picture, the first that the protocol hangs. */
const WIDE = "(min-width: 721px)";

export interface Hanging {
  /** Those that fit, the best first. */
  readonly protocols: readonly Protocol[];
  readonly protocolId: string | undefined;
  /** Modality and region, which a default is kept for. */
  readonly kind: string;
  readonly onHang: (protocol: Protocol) => void;
}

export interface Arranging {
  readonly arrangement: Arrangement;
  readonly hanging: Hanging;
  readonly onLayout: (layout: Layout) => void;
  readonly onLinked: (linked: boolean) => void;
  readonly onPrior: (prior: Study) => void;
  readonly onActivate: (index: number) => void;
}

type Room = Pick<StackRoomProps, "study" | "series" | "current" | "stack" | "onStack">;

export function useArrangement({ study, series, current, stack, onStack }: Room): Arranging {
  const stackId = stack?.id;
  const [arrangement, set] = useState<Arrangement>(UNARRANGED);
  const [seen, setSeen] = useState("");
  const { automatic, defaults } = usePreferences((preferences) => preferences.hanging);
  const listed = useQuery({ ...studyQuery(study), refetchInterval: false }).data;
  const priors = useQuery(priorsQuery(study)).data;
  const one: Case = useMemo(() => ({ study: listed, series, priors: priors ?? [] }), [listed, series, priors]);
  const protocols = useMemo(() => fitting(PROTOCOLS, one, defaults), [one, defaults]);
  const [best] = protocols;

  const chosen = `${current.seriesInstanceUID} ${stackId ?? ""}`;
  if (chosen !== seen) {
    setSeen(chosen);
    set(follow(arrangement, study, current.seriesInstanceUID, stackId));
  }

  /** The strip, the tools and the keys are those of the pane that is worked in. */
  const workIn = (next: Arrangement) => {
    set(next);
    const pane = next.panes[next.active];
    if (pane && !pane.isPrior && pane.seriesInstanceUid) onStack(pane.stackId, pane.seriesInstanceUid);
  };

  const wide = window.matchMedia(WIDE).matches;
  const onHang = (protocol: Protocol, own = true) => {
    const all = hang(protocol, one);
    const hung = own || wide ? all : alone(all);
    const next = { ...hungAs(arrangement, protocol.id, hung, study), own: arrangement.own || own };
    const stays = next.panes[0]?.seriesInstanceUid === current.seriesInstanceUID;
    workIn(stays ? follow(next, study, current.seriesInstanceUID, stackId) : next);
  };
  const unasked = automatic && listed && !arrangement.own ? best : undefined;
  const uids = series.map((each) => each.seriesInstanceUID).join(" ");
  const state = unasked && `${unasked.id} ${comparable(one)?.studyInstanceUID ?? ""} ${uids}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `state` names all that a protocol looks at
  useEffect(() => {
    if (unasked) onHang(unasked, false);
  }, [state]);

  return {
    arrangement,
    hanging: { protocols, protocolId: arrangement.protocolId, kind: kindOf(one), onHang },
    onLayout: (layout) => workIn(arrange(arrangement, layout, study, series)),
    onLinked: (linked) => set({ ...arrangement, linked }),
    onPrior: (prior) => workIn(beside(arrangement, prior, study, series)),
    onActivate: (active) => workIn({ ...arrangement, active }),
  };
}
