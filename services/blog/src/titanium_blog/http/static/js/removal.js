// Deleting a post, after asking.

import { ask } from "./dialogs.js";
import { GivenUp } from "./forms.js";
import { Refused } from "./http.js";
import { readPost } from "./publication.js";
import { signedInAs } from "./relogin.js";
import { t, when } from "./strings.js";

/**
 * Deletes the version that was seen; when there is a newer one, that is said and asked again.
 * @param {string} owner
 * @param {import("./publication.js").Publication} publication
 * @returns {Promise<boolean>} whether the post is gone
 */
export async function askToRemove(owner, publication) {
  const changed = document.getElementById("delete-changed");
  let { etag } = publication;
  changed.textContent = "";
  while ((await ask(document.getElementById("delete-dialog"))) === "delete") {
    try {
      await signedInAs(owner, () => publication.remove(etag));
      return true;
    } catch (error) {
      if (error instanceof GivenUp) return false;
      if (error instanceof Refused && error.status === 404) return true;
      if (!(error instanceof Refused && error.status === 412)) throw error;
      const theirs = await readPost(publication.id);
      etag = theirs.etag;
      changed.textContent = t("editor.delete_changed", { when: when(theirs.updated) });
    }
  }
  return false;
}
