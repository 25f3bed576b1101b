package ringfence.testkit;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ProjectState;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.index.Index;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

/** GET /_data_stream[/NAMES] */
final class ListDataStreams extends BaseRestHandler {
    private final Cluster cluster;

    ListDataStreams(Cluster cluster) {
        this.cluster = cluster;
    }

    @Override
    public String getName() {
        return "testkit_list_data_streams";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(RestRequest.Method.GET, "/_data_stream"), new Route(RestRequest.Method.GET, "/_data_stream/{name}"));
    }

    private static void write(XContentBuilder to, ProjectState project, DataStream stream) throws IOException {
        to.startObject().field("name", stream.getName());
        to.startObject("timestamp_field").field("name", "@timestamp").endObject();
        to.startArray("indices");
        for (Index index : stream.getIndices()) {
            to.startObject().field("index_name", index.getName()).field("index_uuid", index.getUUID()).endObject();
        }
        to.endArray();
        to.field("generation", stream.getGeneration()).field("hidden", stream.isHidden()).field("system", stream.isSystem());
        to.field("template", Cluster.templateOf(project, stream.getName()));
        if (stream.getDataLifecycle() != null) to.field("lifecycle", stream.getDataLifecycle());
        to.endObject();
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        ProjectState project = cluster.project();
        Map<String, DataStream> found = Cluster.streams(project, request.param("name"));
        return channel -> {
            XContentBuilder answer = channel.newBuilder().startObject().startArray("data_streams");
            for (DataStream stream : found.values()) write(answer, project, stream);
            channel.sendResponse(new RestResponse(RestStatus.OK, answer.endArray().endObject()));
        };
    }
}
