// Lets people drop a file on the page; without this script the file chooser and button do the same.
const form = document.querySelector("form.verify");
const zone = document.querySelector(".drop");
const input = form.querySelector("input[type=file]");
for (const name of ["dragenter", "dragover"]) {
  zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
}
zone.addEventListener("dragleave", () => zone.classList.remove("over"));
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; form.submit(); }
});
input.addEventListener("change", () => { if (input.files.length) { form.submit(); } });
