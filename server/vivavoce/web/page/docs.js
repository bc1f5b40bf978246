// The documentation page: Swagger UI over /openapi.json. Its files come from a package, nothing from elsewhere.

window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
