// Pixels that wait for a person: what waits, where its picture is, and what was decided.

import { queryOptions } from "@tanstack/react-query";
import { ask } from "./client";
import { type Result, unwrap } from "./result";
import type { Box, Decided, PixelPicture, PixelReview, ReviewSheet } from "./types";

const REVIEWS_MS = 15_000;

export const reviewsQuery = queryOptions({
  queryKey: ["reviews"],
  queryFn: async ({ signal }) => unwrap(await ask<readonly PixelReview[]>("GET", "/api/pixel-reviews", { signal })),
  refetchInterval: REVIEWS_MS,
  retry: 1,
});

/** What must be looked at before an instance is sent; the node makes it when it is first asked. */
export const sheetsQuery = (review: PixelReview) =>
  queryOptions({
    queryKey: ["reviews", "sheets", review.site, review.profile, review.sopInstanceUID, review.at],
    queryFn: async ({ signal }) =>
      unwrap(await ask<readonly ReviewSheet[]>("GET", `${addressOf(review)}/sheets?${nameOf(review)}`, { signal })),
    retry: 1,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });

/** The picture of one; whoever is given it has seen it, as far as the node knows. */
export function sheetAddress(
  review: PixelReview,
  number: number,
  window?: readonly [low: number, high: number],
): string {
  const values = window ? `&low=${window[0]}&high=${window[1]}` : "";
  return `${addressOf(review)}/sheets/${number}?${nameOf(review)}${values}`;
}

/** Have the instance made anew with these masks, and sent. */
export function acceptReview(review: PixelReview, masks: readonly Box[]): Promise<Result<Decided>> {
  const { site, profile } = review;
  return ask<Decided>("POST", `${addressOf(review)}/acceptance`, { body: { masks, site, profile } });
}

/** Never send the instance. */
export function rejectReview(review: PixelReview): Promise<Result<Decided>> {
  return ask<Decided>("POST", `${addressOf(review)}/rejection?${nameOf(review)}`);
}

function nameOf({ site, profile }: PixelReview): string {
  return new URLSearchParams({ site, profile }).toString();
}

function addressOf(review: PixelReview): string {
  return `/api/pixel-reviews/${encodeURIComponent(review.sopInstanceUID)}`;
}

function instanceAddress(review: PixelReview, picture: PixelPicture): string {
  const names = [review.site, review.studyInstanceUID, picture.seriesInstanceUID, review.sopInstanceUID];
  const [site, study, series, instance] = names.map(encodeURIComponent);
  return `/sites/${site}/dicom-web/studies/${study}/series/${series}/instances/${instance}`;
}

/** A frame as received, all its pixels, without loss: faint letters must not drown in what JPEG adds. */
export function frameAddress(review: PixelReview, picture: PixelPicture, frameNumber: number): string {
  return `${instanceAddress(review, picture)}/frames/${frameNumber}/rendered?accept=image%2Fpng`;
}

/** A document as a browser opens it. */
export function documentAddress(review: PixelReview, picture: PixelPicture): string {
  return `${instanceAddress(review, picture)}/rendered`;
}
