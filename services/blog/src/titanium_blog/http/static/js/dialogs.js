// Native dialogs that answer a question.

/**
 * Opens a dialog; the answer is the value of the button that closed it, "" after Escape.
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<string>}
 */
export function ask(dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
    dialog.showModal();
  });
}

// `<button data-answer="…">` closes the dialog that it is in.
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("dialog [data-answer]");
  button?.closest("dialog").close(button.dataset.answer);
});
