#include "connectors/kit/runtime.h"
enum hub_status hub_runtime_run(struct hub_connector *connector, const struct hub_runtime_settings *settings, struct hub_error *reterr){(void)connector;(void)settings;return hub_fail(reterr,HUB_FATAL,"x");}
