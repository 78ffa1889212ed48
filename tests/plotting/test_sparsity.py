"""The picture of a sparsity report shows its counts."""

import itertools

import numpy as np
import pytest

import proxreg as pr
from proxreg.plotting import empty_figure, plot_sparsity


@pytest.fixture
def report():
    kernel = np.zeros((40, 50))
    kernel[:30, :10] = 1.0
    params = {"dense": {"bias": np.ones(50), "kernel": kernel}, "empty": np.zeros((0, 3)), "out": np.zeros(4)}
    return pr.sparsity(params, pr.by_path([("kernel", pr.GroupLasso(0.1, axis=0))]))


def test_bars_are_shares_and_numbers_stand_beside_them(report):
    ax = plot_sparsity(report, figure=empty_figure())
    bars, whole = ax.containers
    assert [label.get_text() for label in ax.get_yticklabels()] == ["dense/bias", "dense/kernel", "empty", "out"]
    assert [bar.get_width() for bar in bars] == [1, 0.15, 0, 0]
    assert [bar.get_width() for bar in whole] == [1, 1, 1, 1]
    assert bars[0].get_zorder() > whole[0].get_zorder()
    notes = {text.xy[1]: text.get_text() for text in ax.texts}
    assert notes == {0: "50 of 50", 1: "300 of 2,000, 40 of 50 groups dead", 2: "0 of 0", 3: "0 of 4"}
    assert ax.get_yticks().tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose([bar.get_y() + bar.get_height() / 2 for bar in bars], [0, 1, 2, 3])
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first at the top
    assert ax.get_title() == "350 of 2,054 entries are not zero"
    assert ax.get_xlabel() == "share of entries that are not zero"
    assert ax.get_xlim() == (0, 1)


def test_forty_layers_with_long_paths_are_readable(tmp_path):
    def path(k):
        return f"params/encoder/transformer/layers_{k}/self_attention/query_projection/kernel"

    report = pr.sparsity({path(k): np.arange(3.0) for k in range(40)})
    ax = plot_sparsity(report, figure=empty_figure())
    ax.figure.savefig(tmp_path / "sparsity.png")
    labels = ax.get_yticklabels()
    texts = [label.get_text() for label in labels]
    assert len(set(texts)) == 40
    for text, leaf in zip(texts, report.leaves):
        head, _, tail = text.partition("…")
        assert tail
        assert leaf.path.startswith(head)
        assert leaf.path.endswith(tail)
    boxes = [label.get_window_extent() for label in labels]
    assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(boxes))
    assert {label.get_fontsize() for label in labels} == {8}
    assert ax.get_window_extent().width > 2.5 * ax.figure.dpi  # the bars have room beside their names


def test_text_is_smaller_where_given_axes_have_no_room():
    ax = empty_figure().subplots()
    plot_sparsity(pr.sparsity({f"layer {k:03d}": np.ones(2) for k in range(120)}), ax=ax)
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(boxes))
    assert {text.get_fontsize() for text in ax.texts} == {label.get_fontsize() for label in ax.get_yticklabels()}


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError, match="the report has no parameters to draw"):
        plot_sparsity(pr.sparsity({}), figure=empty_figure())
