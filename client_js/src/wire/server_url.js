// Where the server is: an address that paths can be added to.

/**
 * @param {string | URL | undefined} url the page's own where absent
 * @returns {URL}
 * @throws {TypeError} where it is none of the web's
 */
export function serverUrl(url) {
  const page = typeof location === "undefined" ? undefined : location.href;
  if (!url && !page) throw new TypeError("url is needed outside a web page");
  const server = new URL(url ?? "/", page);
  if (!/^https?:$/.test(server.protocol)) throw new TypeError(`url must begin with http:// or https://, not ${server.protocol}`);
  if (!server.pathname.endsWith("/")) server.pathname += "/";
  return server;
}
