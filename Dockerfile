# docker build -t koa-range-server . && docker run -p 8000:8000 -e RANGE_SERVER_TOKEN=… -v videos:/data koa-range-server

FROM node:24.11.1-bookworm-slim@sha256:48abc13a19400ca3985071e287bd405a1d99306770eb81d61202fb6b65cf0b57 AS build
WORKDIR /app
COPY . .
RUN scripts/build-image.sh /deployed

FROM node:24.11.1-bookworm-slim@sha256:48abc13a19400ca3985071e287bd405a1d99306770eb81d61202fb6b65cf0b57
ENV NODE_ENV=production RANGE_SERVER_HOST=0.0.0.0 RANGE_SERVER_DATA=/data
COPY --from=build /deployed /app
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8000
HEALTHCHECK CMD ["node", "/app/node_modules/koa-range-server/dist/main.js", "health"]
# In exec form, so that the server gets SIGTERM; it needs a token, or --allow-anonymous.
ENTRYPOINT ["node", "/app/node_modules/koa-range-server/dist/main.js"]
