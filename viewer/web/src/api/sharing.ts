// A study that leaves the room: links for somebody without an account, and launches from and into other programs.

import { queryOptions } from "@tanstack/react-query";
import { ask } from "./client";
import { addressAt, type StudyKey } from "./queries";
import { type Result, unwrap } from "./result";
import type { Launch, LinkItem, MadeLink, ProgramAddress, Session, Study } from "./types";

export type Program = "weasis" | "slicer";

function addressOf(study: StudyKey, part: string): string {
  return addressAt(study, `/api/studies/${study.studyInstanceUid}/${part}`);
}

export function linksQuery(study: StudyKey, enabled: boolean) {
  return queryOptions({
    queryKey: ["links", study],
    queryFn: async ({ signal }) => unwrap(await ask<readonly LinkItem[]>("GET", addressOf(study, "links"), { signal })),
    enabled,
  });
}

export function makeLink(study: StudyKey, hours: number): Promise<Result<MadeLink>> {
  return ask<MadeLink>("POST", addressOf(study, "links"), { body: { hours } });
}

export function revokeLink(study: StudyKey, id: string): Promise<Result<void>> {
  return ask<void>("DELETE", addressOf(study, `links/${id}`));
}

/** `link`: what stands behind the # of the address; it goes in a body alone. */
export function openLink(link: string, code: string): Promise<Result<Session>> {
  return ask<Session>("POST", "/api/session/link", { body: { link, code } });
}

export function openProgram(study: StudyKey, program: Program): Promise<Result<ProgramAddress>> {
  return ask<ProgramAddress>("POST", addressOf(study, `programs/${program}`), { body: {} });
}

/** Where OHIF opens a study, if the node has it (`NodeInfo.ohif`). */
export function ohifAddress(study: StudyKey): string {
  return `/ohif/viewer?${new URLSearchParams({ StudyInstanceUIDs: study.studyInstanceUid }).toString()}`;
}

/** The studies that another program means; asked in a body, as it may name a patient. */
export function launchQuery(wanted: Launch | undefined) {
  return queryOptions({
    queryKey: ["launch", wanted],
    queryFn: async ({ signal }) =>
      unwrap(await ask<readonly Study[]>("POST", "/api/launches", { body: wanted, signal })),
    enabled: wanted !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
}
